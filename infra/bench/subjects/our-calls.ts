/** The marketplace worker's way out: its client, behind the gate and quota of one account. */
import { openDatabase, openRemoteStore } from "@ballast/database";
import { openRemoteGuard, type RemoteGuard, throttleFromHeaders } from "@ballast/jobs";
import { openTelemetry } from "@ballast/service";
import {
  openRemoteHttp,
  type RemoteHttp,
} from "../../../apps/marketplace-sync-worker/src/http/remote-http.ts";
import { atATime, measured, serveSubject } from "../src/subject-program.ts";

const CONCURRENCY = 50;
let opened: { readonly http: RemoteHttp; readonly guard: RemoteGuard } | undefined;

serveSubject({
  open: async ({ databaseUrl }: { databaseUrl: string }) => {
    const database = await openDatabase(databaseUrl, {
      applicationName: "bench",
      poolMax: 5,
      connectTimeoutMs: 60_000,
    });
    const stopping = new AbortController().signal;
    const { telemetry } = openTelemetry({ service: "bench", level: "warn", stopping });
    const remote = { kind: "marketplace", key: "bench" } as const;
    opened = {
      http: openRemoteHttp({ log: telemetry.log, allowPrivate: true }),
      guard: openRemoteGuard({ store: openRemoteStore(database), remote }),
    };
    return {};
  },
  call: ({ url, count }: { url: string; count: number }) => {
    if (opened === undefined) throw new Error("ask to open it first");
    const { http, guard } = opened;
    const { signal } = new AbortController();
    return measured(count, () =>
      atATime(CONCURRENCY, count, async (n) => {
        const body = await guard.call({ cost: 1, signal }, async () => {
          const answer = await http.request(
            { method: "POST", url, body: { sku: `SKU${n}`, quantity: n } },
            signal,
          );
          const throttle = throttleFromHeaders(answer.status, answer.headers, Date.now());
          return { value: answer.body, throttle };
        });
        if ((body as { items: unknown[] }).items.length !== 20)
          throw new Error("another answer was expected");
      }),
    );
  },
});
