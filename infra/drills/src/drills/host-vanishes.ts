import { setTimeout as pause } from "node:timers/promises";
import { until } from "@ballast/testing";
import { doubledEffects, doubledMails, statesOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { insist, load } from "../load.ts";
import { openHosts } from "../stack/hosts.ts";
import { quickSilence } from "../tuning.ts";

/** From the moment a successor stands until new work is done: the silence that is waited for, and twice Retry-After. */
const GOES_ON_MS = { redis: 25_000, postgres: 45_000 };

/** A store's host vanishes: no connection breaks, and none is ever answered again. */
export const hostVanishes = defineDrill({
  name: "host-vanishes",
  promise:
    "the host of the engine vanishes without a word, then PostgreSQL's: what is asked for then is done 25 s (Redis) and 45 s after a successor stands, all of it once",
  sabotages: [
    {
      without: "workers that give up an engine that owes an answer",
      file: "packages/jobs/src/engine/redis-connections.ts",
      find: "socketTimeout: 15_000,",
      replace: "",
      also: [
        {
          file: "packages/jobs/src/engine/postgres-pool.ts",
          find: "else stream.destroy();",
          replace: "",
        },
      ],
    },
    {
      without: "connections that give up a PostgreSQL that owes an answer",
      file: "packages/database/src/silence.ts",
      find: "stream.destroy();",
      replace: "",
    },
  ],
  async run(t) {
    const stack = await t.open({ apps: { api: 0 }, tuning: t.sized(quickSilence, []) });
    const hosts = t.use(await openHosts(stack));
    const apps = ["api", "email-worker", "echo-worker"];
    await Promise.all(apps.map((app) => stack.start(app, hosts.env)));
    const [perSecond, awayMs] = t.sized([10, 1_000], [20, 5_000]);
    const invoices = await Promise.all(
      Array.from({ length: t.sized(10, 60) }, () => stack.invoice({ rendered: true })),
    );
    const ask = (n: number) => {
      const key = { "Idempotency-Key": `drill-${n}` };
      const invoice = n % 10 === 0 ? invoices[n / 10]?.invoice : undefined;
      return invoice === undefined
        ? stack.api.post("/v1/jobs", { job: "echo", payload: { id: `n${n}` } }, key)
        : stack.api.post(`/v1/invoices/${invoice.id}/send`, {}, key);
    };
    const insistOn = (n: number) => insist(() => ask(n), { signal: t.signal });
    let nth = 1_000_000;
    /** How long after its successor stands until what is asked for then is done. */
    const vanish = async (store: "engine" | "postgres", withinMs: number) => {
      t.tell(`the host of ${store} vanishes`);
      await hosts.vanish(store, awayMs);
      const backAt = performance.now();
      const { headers } = await insistOn(nth++);
      const asked = [headers.get("location") ?? ""];
      const isDone = async () => (await statesOf(stack.db, asked))["completed"] === 1;
      const goesOn = await until(isDone, { deadlineMs: withinMs, intervalMs: 50 }).then(
        () => true,
        () => false,
      );
      const ms = performance.now() - backAt;
      t.figure(`${store}GoesOnMs`, ms);
      t.must(`work goes on within ${withinMs} ms of ${store}'s return`, goesOn && ms <= withinMs);
    };

    t.tell("requests at a steady rate");
    const over = new AbortController();
    const signal = AbortSignal.any([t.signal, over.signal]);
    const running = load({ perSecond, seconds: 600, request: insistOn, signal });
    await pause(t.sized(1_000, 3_000), undefined, { signal: t.signal });
    await vanish("engine", GOES_ON_MS[t.engine]);
    await pause(t.sized(1_000, 3_000), undefined, { signal: t.signal });
    await vanish("postgres", GOES_ON_MS.postgres);
    over.abort();
    const report = await running;
    const doneMs = await untilAllOver(stack.db, 90_000);
    const states = await statesOf(stack.db, report.accepted);

    t.figure("requests", report.sent);
    t.figure("completed", states["completed"] ?? 0);
    t.figure("mails", stack.smtp.mails.length);
    t.figure("doneAfterMs", doneMs ?? -1);
    t.must("each request came through in the end", report.refusedCount === 0);
    t.must("every accepted one is completed", states["completed"] === report.accepted.length);
    t.must("no effect is doubled", (await doubledEffects(stack.db)) === 0);
    t.must("no mail is doubled", doubledMails(stack) === 0);
    t.must("no process has ended", stack.replicas().length === apps.length);
  },
});
