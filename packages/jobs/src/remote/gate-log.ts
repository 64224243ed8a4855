import type { Log } from "../telemetry.ts";
import { AUTH_FAILED } from "./gate.ts";
import type { RemoteObserver } from "./open-guard.ts";

/** Writes down when gates move: by a call of this process, so each move once. */
export const gateLog = (log: Log): RemoteObserver => ({
  gate({ kind, key }, { state, code, message }) {
    const level = code === AUTH_FAILED ? "error" : state === "closed" ? "warn" : "info";
    log[level]({ remote: kind, key, state, code, reason: message }, "gate moved");
  },
});
