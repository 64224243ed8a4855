import fc from "fast-check";
import { expect, test } from "vitest";
import { type Setup, setup } from "./setup.ts";

/** Wishes, dispatchers and workers at once, on a few slots; what must hold afterwards, held throughout. */
test("however wishes and starts meet, each wish is seen by a start after it, one at a time", async () => {
  await using t = await setup();
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        slots: fc.integer({ min: 1, max: 3 }),
        wishesPerSlot: fc.integer({ min: 1, max: 15 }),
        workers: fc.integer({ min: 1, max: 4 }),
      }),
      async (shape) => {
        round += 1;
        await race(t, `round${round}`, shape);
      },
    ),
    { numRuns: 12, endOnFailure: true },
  );
}, 60_000);

async function race(
  t: Setup,
  name: string,
  shape: { slots: number; wishesPerSlot: number; workers: number },
): Promise<void> {
  const wishes: { runId: string; n: number }[] = [];
  const seen = new Map<string, number>();
  const running = new Set<string>();
  let asking = shape.slots;

  const asker = async (slot: string) => {
    for (let n = 1; n <= shape.wishesPerSlot; n += 1) {
      const { runId } = await t.ask({ slot, payload: { n } });
      wishes.push({ runId, n });
    }
    asking -= 1;
  };
  const worker = async () => {
    for (;;) {
      const isLast = asking === 0;
      const claimed = await t.claim(3);
      await t.store.handedOver(claimed);
      const starts = claimed.map(({ engineJobId }) => t.aStart(engineJobId));
      const answers = await t.store.start(starts);
      const ends = answers.map((answer, index) => {
        const start = starts[index];
        // Claimed because its slot was free, and nobody else may have taken the slot since.
        if (answer.kind !== "go" || start === undefined) throw new Error(`got ${answer.kind}`);
        const { id, slot, payload } = answer.run;
        expect(running.has(`${slot}`)).toBe(false);
        running.add(`${slot}`);
        seen.set(id, Number(payload["n"]));
        return { slot, end: t.end(id, start.attemptId) };
      });
      for (const { slot } of ends) running.delete(`${slot}`);
      await t.store.ended(ends.map(({ end }) => end));
      if (isLast && claimed.length === 0 && (await openRuns(t)) === 0) return;
    }
  };

  await Promise.all([
    ...Array.from({ length: shape.slots }, (_, slot) => asker(`${name}-${slot}`)),
    ...Array.from({ length: shape.workers }, worker),
  ]);

  for (const { runId, n } of wishes) expect(seen.get(runId)).toBeGreaterThanOrEqual(n);
}

async function openRuns(t: Setup): Promise<number> {
  const open = await t.db.kysely
    .selectFrom("jobRuns")
    .select("id")
    .where("finishedAt", "is", null)
    .execute();
  return open.length;
}
