import type { QueueFigures, QueuePause } from "@ballast/database";
import type { QueueState } from "@ballast/jobs";
import { z } from "zod";
import { moment } from "./text.ts";

const pause = z
  .object({
    by: z.string().meta({ example: "api-key:ops" }),
    since: moment,
    reason: z.string(),
  })
  .nullable();

export const QueueBody = z
  .object({
    queue: z.string().meta({ example: "pdf" }),
    paused: z.boolean(),
    pause: pause.meta({ description: "Who paused it, when and why; `null` unless it is paused." }),
    pending: z.int().meta({ description: "Runs that wait to be handed to the queue engine." }),
    oldestPendingAt: moment
      .nullable()
      .meta({ description: "Since when the oldest of them waits." }),
    handedOver: z.int().meta({ description: "Runs the engine has and no worker has begun." }),
    started: z.int().meta({ description: "Runs that run, or wait between two attempts." }),
    notYet: z.int().meta({ description: "Runs that are due later or held for something." }),
    openLetters: z.int().meta({ description: "Dead letters that nobody has dealt with." }),
    engine: z
      .object({
        waiting: z.int(),
        active: z.int(),
        delayed: z.int(),
        failed: z.int(),
      })
      .nullable()
      .meta({ description: "What the queue engine itself counts; `null` while it is away." }),
  })
  .meta({ id: "Queue" });

export const QueueListBody = z.object({ queues: z.array(QueueBody) });

const NOTHING = {
  pending: 0,
  oldestPendingAt: null,
  handedOver: 0,
  started: 0,
  notYet: 0,
  openLetters: 0,
};

export function queueBody(
  queue: string,
  figures: QueueFigures | undefined,
  held: QueuePause | undefined,
  engine: QueueState | undefined,
) {
  const { queue: _, ...counts } = figures ?? { queue, ...NOTHING };
  return {
    queue,
    paused: held?.paused ?? false,
    pause: held?.paused ? { by: held.changedBy, since: held.changedAt, reason: held.reason } : null,
    ...counts,
    engine:
      engine === undefined
        ? null
        : {
            waiting: engine.waiting,
            active: engine.active,
            delayed: engine.delayed,
            failed: engine.failed,
          },
  };
}
