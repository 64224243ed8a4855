/** axios as it comes; Node's own agent keeps its connections alive. */
import axios from "axios";
import { atATime, measured, serveSubject } from "../src/subject-program.ts";

const CONCURRENCY = 50;

serveSubject({
  call: ({ url, count }: { url: string; count: number }) =>
    measured(count, () =>
      atATime(CONCURRENCY, count, async (n) => {
        const { data } = await axios.post<{ items: unknown[] }>(url, {
          sku: `SKU${n}`,
          quantity: n,
        });
        if (data.items.length !== 20) throw new Error("another answer was expected");
      }),
    ),
});
