import fc from "fast-check";
import { expect, test } from "vitest";
import { absorb, EMPTY_TALLY, type Tally } from "../../src/incidents/absorb.ts";

const NOW = new Date("2026-11-24T10:00:00Z");
const arrivals = (count: number, lastDiedAt = NOW) => ({ count: BigInt(count), lastDiedAt });

/** Feed batches in, and list the alerts they made. */
function feed(batches: readonly number[], from: Tally = EMPTY_TALLY) {
  let tally = from;
  const alerts: string[] = [];
  for (const batch of batches) {
    const next = absorb(tally, arrivals(batch), NOW);
    if (next.alert !== null) alerts.push(`${next.alert} at ${next.deathCount}`);
    tally = next;
  }
  return { tally, alerts };
}

test("one death at a time is told at 1, 10, 100 and 1,000", () => {
  const { alerts } = feed(Array.from({ length: 1_667 }, () => 1));
  expect(alerts).toEqual(["opened at 1", "grown at 10", "grown at 100", "grown at 1000"]);
});

test("however deaths are batched, a threshold is told once, and no batch tells twice", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 60 }),
      (batches) => {
        const { tally, alerts } = feed(batches);
        const total = batches.reduce((sum, count) => sum + count, 0);
        expect(tally.deathCount).toBe(BigInt(total));
        expect(alerts.length).toBeLessThanOrEqual(1 + Math.floor(Math.log10(total)));
        expect(alerts[0]).toMatch(/^opened/);
        expect(alerts.slice(1).every((alert) => alert.startsWith("grown"))).toBe(true);
        // What is due next is still ahead, and by less than ten times.
        expect(tally.nextAlertAt > BigInt(total)).toBe(true);
        expect(tally.nextAlertAt <= 10n * BigInt(total)).toBe(true);
      },
    ),
  );
});

test("5,000 deaths of one cause make at most 4 alerts, in any batches", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 40 }), (batches) => {
      let left = 5_000;
      const capped: number[] = [];
      for (const batch of [...batches, 5_000]) {
        const taken = Math.min(batch, left);
        if (taken > 0) capped.push(taken);
        left -= taken;
      }
      expect(feed(capped).alerts.length).toBeLessThanOrEqual(4);
    }),
  );
});

test("it opens again when it recurs after being resolved, and counts anew", () => {
  const resolved: Tally = {
    ...feed([50]).tally,
    state: "resolved",
    resolvedAt: new Date(NOW.getTime() - 1),
  };
  const { tally, alerts } = feed([1, 8, 1], resolved);
  expect(alerts).toEqual(["reopened at 51", "grown at 60"]);
  expect(tally).toMatchObject({ state: "open", resolvedAt: null, countedFrom: 50n });
});

test("what died before it was resolved and is filed after is no recurrence", () => {
  const resolvedAt = new Date(NOW.getTime() - 1_000);
  const resolved: Tally = { ...feed([50]).tally, state: "resolved", resolvedAt };
  const next = absorb(resolved, arrivals(5, new Date(resolvedAt.getTime() - 1)), NOW);
  expect(next).toMatchObject({ state: "resolved", deathCount: 55n, alert: null, reopened: false });
});

test("ignored for ever, it only counts; until a time or a count, it opens again when that has run out", () => {
  const ignored: Tally = { ...feed([5]).tally, state: "ignored" };
  expect(feed([1_000], ignored)).toMatchObject({ alerts: [], tally: { state: "ignored" } });

  const untilTime = { ...ignored, ignoredUntil: new Date(NOW.getTime() + 1) };
  expect(feed([1], untilTime).alerts).toEqual([]);
  expect(feed([1], { ...ignored, ignoredUntil: NOW }).alerts).toEqual(["reopened at 6"]);

  const untilCount = { ...ignored, ignoredAbove: 20n };
  expect(feed([15], untilCount).alerts).toEqual([]);
  expect(feed([15, 1], untilCount)).toMatchObject({
    alerts: ["reopened at 21"],
    tally: { ignoredAbove: null, ignoredUntil: null },
  });
});

test("a ticket is brought up to date when it has grown tenfold since last told or asked, and when it is back", () => {
  const ticketed: Tally = {
    ...feed([3]).tally,
    state: "ticketed",
    hasTicket: true,
    ticketToldCount: 3n,
  };
  const at = (tally: Tally, count: number) => absorb(tally, arrivals(count), NOW);

  expect(at(ticketed, 26).updatesTicket).toBe(false);
  const asked = at(ticketed, 27);
  expect(asked).toMatchObject({ updatesTicket: true, ticketWantedCount: 30n });
  expect(at(asked, 100).updatesTicket).toBe(false); // asked for and not done yet: not again
  expect(at({ ...ticketed, state: "resolved", resolvedAt: new Date(0) }, 1)).toMatchObject({
    state: "ticketed",
    updatesTicket: true,
  });
  expect(at({ ...ticketed, hasTicket: false, ticketToldCount: null }, 5_000).updatesTicket).toBe(
    false,
  );
});
