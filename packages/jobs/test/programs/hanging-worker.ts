/** A worker whose only job never ends; it says over IPC when it has begun. */
import { openDatabase, openRunStore } from "@ballast/database";
import { handle, openEngine, runWorker } from "../../src/index.ts";
import { queue, quietTelemetry, testJob } from "../integration/setup.ts";

const [databaseUrl = "", queueUrl = "", prefix = ""] = process.argv.slice(2);
const telemetry = quietTelemetry();

await using db = await openDatabase(databaseUrl, { applicationName: "hanging-worker" });
await using engine = openEngine(queueUrl, { log: telemetry.log, prefix });
await runWorker({
  queue,
  engine,
  telemetry,
  store: openRunStore(db),
  handlers: [
    handle(testJob(), () => {
      process.send?.("begun");
      return new Promise(() => {});
    }),
  ],
});
