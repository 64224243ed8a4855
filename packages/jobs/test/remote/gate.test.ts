import fc from "fast-check";
import { expect, test } from "vitest";
import {
  admit,
  callsAtATime,
  failed,
  type Gate,
  openGate,
  probeDelayMs,
  succeeded,
} from "../../src/remote/gate.ts";

const down = { code: "remote_down", message: "the shop answered 503" };
const at = (ms: number) => new Date(ms);

const after = (gate: Gate, times: number, now = 0): Gate =>
  times === 0 ? gate : after(failed(gate, down, at(now)), times - 1, now);

test("five failures in a row close it, and a success between them does not let that happen", () => {
  expect(after(openGate, 4).state).toBe("open");
  expect(after(succeeded(after(openGate, 4), at(0)), 4).state).toBe("open");
  expect(after(openGate, 5)).toMatchObject({ state: "closed", closedAt: at(0), ...down });
});

test("credentials that are refused close it at once", () => {
  const gate = failed(openGate, { code: "auth_failed", message: "401" }, at(0));
  expect(gate).toMatchObject({ state: "closed", code: "auth_failed" });
});

test("a closed gate lets one call through when its time has come, and tells the others when to come", () => {
  const gate = after(openGate, 5);
  expect(admit(gate, at(500))).toEqual({ goes: false, waitMs: 1_500 });
  const probe = admit(gate, at(2_000));
  expect(probe).toMatchObject({ goes: true, gate: { probes: 1 } });
  if (!probe.goes || probe.gate === undefined) throw new Error("no probe");
  // Not a minute later, when the next probe comes if this one never ends, but when it comes if it fails now.
  expect(admit(probe.gate, at(2_001))).toEqual({ goes: false, waitMs: 3_000 });
  // Whoever probed has ended without a word.
  expect(admit(probe.gate, at(92_000))).toMatchObject({ goes: true });
});

test("who meets a late probe under way comes again in seconds, and a minute later once it failed", () => {
  const away = { ...after(openGate, 5), probes: 7, nextProbeAt: at(0) };
  const probe = admit(away, at(0));
  if (!probe.goes || probe.gate === undefined) throw new Error("no probe");
  expect(admit(probe.gate, at(4_000))).toEqual({ goes: false, waitMs: 5_000 });
  expect(admit(failed(probe.gate, down, at(4_000)), at(4_000))).toEqual({
    goes: false,
    waitMs: 60_000,
  });
});

test("a remote that stays away is probed eight times in the first minute at most, then once a minute", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 30 }), (tookMs) => {
      let gate = after(openGate, 5);
      const probes: number[] = [];
      for (const ms of tookMs) {
        const now = gate.nextProbeAt?.getTime() ?? Number.NaN;
        const admission = admit(gate, at(now));
        if (!admission.goes || admission.gate === undefined) throw new Error("not let through");
        probes.push(now);
        gate = failed(admission.gate, down, at(now + ms));
      }
      expect(probes.filter((ms) => ms < 60_000).length).toBeLessThanOrEqual(8);
      const late = probes.filter((ms) => ms >= 60_000);
      for (const [n, ms] of late.entries()) {
        const before = late[n - 1];
        if (before !== undefined) expect(ms - before).toBeGreaterThanOrEqual(60_000);
      }
      expect(probeDelayMs(probes.length)).toBe(60_000);
    }),
  );
});

test("one that is back is called by one at a time, then by more, then by all", () => {
  const limits: number[] = [];
  let gate = after(openGate, 5);
  for (let n = 0; n < 10; n++) {
    gate = succeeded(gate, at(n));
    limits.push(callsAtATime(gate));
  }
  expect(limits.slice(0, 3)).toEqual([1, 2, 3]);
  expect(limits).toEqual(limits.toSorted((a, b) => a - b));
  expect(gate).toEqual(openGate);
});

test("one failure while it opens closes it again, without beginning anew with quick probes", () => {
  const probed = admit(after(openGate, 5), at(2_000));
  if (!probed.goes || probed.gate === undefined) throw new Error("no probe");
  const gate = failed(succeeded(probed.gate, at(2_500)), down, at(3_000));
  expect(gate).toMatchObject({ state: "closed", nextProbeAt: at(6_000), closedAt: at(0) });
});

test("ten minutes after the probe that came through it is open, unless a call failed since", () => {
  const ramping = succeeded(succeeded(after(openGate, 5), at(1_000)), at(60_000));
  expect(ramping).toMatchObject({ state: "ramping", opensAt: at(601_000) });
  expect(failed(ramping, down, at(70_000)).opensAt).toBeNull();
});
