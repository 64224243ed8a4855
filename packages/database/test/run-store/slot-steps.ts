import type { OutcomeKind } from "../../src/index.ts";

/** What becomes of runs that a dispatcher has claimed. */
export type AfterClaim = "hand over" | "give back" | "die at once" | "die later";

/** Something that happens; numbers choose among what is there, so that any list of steps makes sense. */
export type Step =
  | { do: "wish"; slot: number; held: boolean; late: boolean; priority: number }
  | { do: "wish and take"; slot: number; next: AfterClaim }
  | { do: "theirs"; slot: number }
  | { do: "replay"; which: number; isChanged: boolean }
  | { do: "dispatch"; limit: number; next: AfterClaim }
  | { do: "take"; which: number; next: "work" | "die unstarted" | "die started" }
  | {
      do: "end";
      which: number;
      outcome: OutcomeKind;
      heard: "by both" | "by engine" | "by journal";
    }
  | { do: "stall" | "give up" | "cancel"; which: number }
  | { do: "stop cancelled" | "release" | "wipe" | "reconcile" | "expire" | "move" };
