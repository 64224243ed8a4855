/**
 * `judge-queues`, in the API's image beside `migrate`: whether this release understands what waits in the queues of
 * another. It changes nothing, and exits 0 if so, 1 if a job would die or nothing answers, 78 if its settings are bad.
 */
import { judgeQueues, openEngine } from "@ballast/jobs";
import { ConfigError, readEnv, storesEnv } from "@ballast/service";
import { z } from "zod";

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const { QUEUE_URL, QUEUE_PREFIX } = storesEnv;

try {
  const env = readEnv(z.object({ QUEUE_URL, QUEUE_PREFIX }), process.env);
  await using engine = openEngine(env.QUEUE_URL, { log, prefix: env.QUEUE_PREFIX });
  await engine.ping();
  const { ok, lines } = await judgeQueues(engine);
  console.log(lines.join("\n"));
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  const { message, badConfig } = error as Error & { readonly badConfig?: true };
  const isConfig = error instanceof ConfigError || badConfig === true;
  console.error(isConfig ? message : `QUEUE_URL: the queue engine does not answer (${message})`);
  process.exitCode = isConfig ? 78 : 1;
}
