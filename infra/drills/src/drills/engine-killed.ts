import { setTimeout as pause } from "node:timers/promises";
import { doubledEffects, doubledMails, statesOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { load } from "../load.ts";
import { quickDrillLock } from "../tuning.ts";

/**
 * The engine's server is killed under load and comes back with what its disk holds: at once, and once
 * after every lock in it has run out. The effects of `echo` have no ledger here: nothing but the
 * runtime keeps what was finished meanwhile from being done again.
 */
export const engineKilled = defineDrill({
  name: "engine-killed",
  promise: "the engine is killed and restarted under load: nothing is lost, no effect is doubled",
  sabotages: [
    {
      without: "workers that connect again",
      file: "packages/jobs/src/engine/redis-connections.ts",
      find: "retryStrategy: reconnect(2_000),",
      replace: "retryStrategy: () => null,",
    },
    {
      without: "finished work being written down where the engine did not confirm it",
      file: "packages/jobs/src/engine/unconfirmed.ts",
      find: "for (const job of this.#finished) {",
      replace: "for (const job of [] as Job[]) {",
    },
  ],
  async run(t) {
    const stack = await t.open({
      apps: { api: 1, "pdf-worker": 1, "email-worker": 1 },
      echoWorkers: 2,
      env: { ECHO_MS: "500" },
      tuning: t.sized([quickDrillLock], []),
    });
    const [perSecond, seconds, kills] = t.sized([20, 7, 2], [50, 60, 6]);
    const longMs = t.sized(4_000, 8_000);
    const mailCount = t.sized(5, 50);
    const invoices = await Promise.all(Array.from({ length: mailCount }, () => stack.invoice()));

    t.tell("requests at a steady rate, and the engine is killed");
    const running = load({
      perSecond,
      seconds,
      request: (n) => {
        const invoice = n % 4 === 0 ? invoices[n / 4]?.invoice : undefined;
        return invoice === undefined
          ? stack.api.post("/v1/jobs", {
              job: "echo",
              payload: { id: `bare-n${n}` },
            })
          : stack.api.post(`/v1/invoices/${invoice.id}/send`);
      },
    });
    for (let kill = 0; kill < kills; kill++) {
      await pause((seconds * 1_000) / (kills + 1) / 2, undefined, { signal: t.signal });
      await stack.engine.kill();
      if (kill === 0) await pause(longMs, undefined, { signal: t.signal });
      await stack.engine.start();
    }
    const report = await running;
    const doneMs = await untilAllOver(stack.db, t.sized(30_000, 180_000));
    const states = await statesOf(stack.db, report.accepted);

    t.figure("requests", report.sent);
    t.figure("kills", kills);
    t.figure("completed", states["completed"] ?? 0);
    t.figure("mails", stack.smtp.mails.length);
    t.figure("doubledEffects", await doubledEffects(stack.db));
    t.figure("doneAfterMs", doneMs ?? -1);
    t.must("every request is accepted", report.refusedCount === 0);
    t.must("every request is completed", states["completed"] === report.accepted.length);
    t.must("every mail goes out", stack.smtp.mails.length === mailCount);
    t.must("no mail goes out twice", doubledMails(stack) === 0);
    t.must("no effect is doubled", (await doubledEffects(stack.db)) === 0);
  },
});
