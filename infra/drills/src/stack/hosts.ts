import { setTimeout as pause } from "node:timers/promises";
import { openProxy } from "@ballast/testing";
import type { Stack } from "./stack.ts";

/** The hosts of a stack's stores, for services that are to reach them by doors behind which a host can vanish. */
export interface Hosts extends AsyncDisposable {
  /** What those services get. */
  readonly env: { readonly DATABASE_URL: string; readonly QUEUE_URL: string };
  /**
   * One is gone without a word, and all connections to it stay open and silent. This much later a successor stands at
   * its address, with what was committed.
   */
  vanish(store: "engine" | "postgres", awayMs: number): Promise<void>;
}

export async function openHosts(stack: Stack): Promise<Hosts> {
  await using opening = new AsyncDisposableStack();
  const doors = {
    engine: opening.use(await openProxy(stack.engine.url)),
    postgres: opening.use(await openProxy(stack.databaseUrl)),
  };
  const opened = opening.move();
  return {
    env: { DATABASE_URL: doors.postgres.url, QUEUE_URL: doors.engine.url },
    async vanish(store, awayMs) {
      doors[store].vanish();
      await stack[store].kill();
      await pause(awayMs);
      await stack[store].start();
      await doors[store].open();
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
