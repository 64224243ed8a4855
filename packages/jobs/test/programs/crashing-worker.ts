/** A worker some of whose jobs end its process, in the way that their payload names. */
import { setTimeout as pause } from "node:timers/promises";
import { openDatabase, openRunStore } from "@ballast/database";
import { handle, openEngine, runWorker } from "../../src/index.ts";
import { queue, quietTelemetry, testJob } from "../integration/setup.ts";

const [databaseUrl = "", queueUrl = "", prefix = ""] = process.argv.slice(2);

const ways: Record<string, () => unknown> = {
  "throws-later": () => setTimeout(() => void boom(), 10),
  "rejects-later": () => void pause(10).then(boom),
  "is-killed": () => process.kill(process.pid, "SIGKILL"),
};
const boom = () => {
  throw new Error("boom");
};
const slow = (signal: AbortSignal) => pause(300, undefined, { signal });

// What @ballast/service does with an error that nobody caught.
const hooks: ((error: unknown) => Promise<void>)[] = [];
const die = (error: unknown) =>
  void Promise.allSettled(hooks.map((hook) => hook(error))).then(() => process.exit(70));
process.once("uncaughtException", die).once("unhandledRejection", die);

const telemetry = {
  ...quietTelemetry(),
  onFatal: (hook: (error: unknown) => Promise<void>) => void hooks.push(hook),
};
await using db = await openDatabase(databaseUrl, { applicationName: "crashing-worker" });
await using engine = openEngine(queueUrl, { log: telemetry.log, prefix });
await runWorker({
  queue,
  engine,
  telemetry,
  concurrency: 10,
  store: openRunStore(db),
  handlers: [
    handle(testJob(), async ({ payload, signal }) => {
      const way = ways[payload.thing];
      if (way === undefined) await slow(signal);
      else {
        await pause(100); // the others have begun by then
        way();
        await new Promise(() => {});
      }
      return { done: payload.thing };
    }),
  ],
});
