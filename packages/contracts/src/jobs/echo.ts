import { z } from "zod";
import { defineJob } from "../job.ts";
import { drill } from "../queues.ts";

/** Give back what came in. For drills and benchmarks: it costs nothing but the queue itself. */
export const echo = defineJob({
  queue: drill,
  name: "echo",
  version: 1,
  payload: z.object({ id: z.string().max(200) }),
  result: z.object({ id: z.string() }),
  standalone: true,
});
