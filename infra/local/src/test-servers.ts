import { basename } from "node:path";
import { ensureChromium } from "./chromium.ts";
import { findRedis } from "./engine.ts";
import { startPostgres } from "./postgres.ts";
import { startRedis } from "./redis.ts";
import { reasonOf, say } from "./say.ts";

interface TestServers extends AsyncDisposable {
  /** BALLAST_TEST_* variables for vitest; `@ballast/testing` reads them. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Start what the tests need, without durability and beside a stack that may be up. A server that is
 * named in the environment is taken as it is.
 *
 * @param o.folder a folder of this run alone, within `o.dataDir`
 */
export async function openTestServers(o: {
  dataDir: string;
  folder: string;
  env: NodeJS.ProcessEnv;
}): Promise<TestServers> {
  await using opening = new AsyncDisposableStack();
  const run = basename(o.folder);
  const env: Record<string, string> = {};

  if (!o.env["BALLAST_TEST_POSTGRES_URL"]) {
    const at = { dataDir: o.dataDir, name: `${run}-postgres`, durable: false };
    env["BALLAST_TEST_POSTGRES_URL"] = opening.use(await startPostgres(at)).url;
  }
  const binary = findRedis();
  if (binary && !o.env["BALLAST_TEST_REDIS_URL"]) {
    const at = { binary, dataDir: o.dataDir, name: `${run}-redis`, durable: false };
    env["BALLAST_TEST_REDIS_URL"] = opening.use(await startRedis(at)).url;
  }
  if (!o.env["BALLAST_TEST_CHROMIUM"]) {
    try {
      env["BALLAST_TEST_CHROMIUM"] = JSON.stringify(ensureChromium(o.env));
    } catch (error) {
      say(`tests that need a browser will be skipped: ${reasonOf(error)}`);
    }
  }

  const servers = opening.move();
  return { env, [Symbol.asyncDispose]: () => servers.disposeAsync() };
}
