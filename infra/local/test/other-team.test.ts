import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeEachEngine, until } from "@ballast/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../src/checkout.ts";
import { packPackage } from "../src/pack-package.ts";
import { runCommand } from "../src/run-command.ts";
import { dataFolder } from "./data-folder.ts";
import { openSmallStack } from "./small-stack.ts";

const run = promisify(execFile);
const { NODE_OPTIONS: _, ...theirEnv } = process.env; // the condition for sources is not theirs

/** What another team would write: plain BullMQ and our contracts to enqueue, our runtime to look at what waits. */
const PRODUCER = `
import { renderInvoice, toBullmq } from "@ballast/contracts";
import { judgeQueues, openEngine } from "@ballast/jobs";
import { createPostgresBackend, Queue } from "bullmq";
import pg from "pg";

const [url, prefix, invoiceId, requestId] = process.argv.slice(2);
const onPostgres = url.startsWith("postgres");
const pool = onPostgres ? new pg.Pool({ connectionString: url, options: "-c search_path=bullmq" }) : undefined;
const queue = onPostgres
  ? new Queue(renderInvoice.queue.name, { connection: pool }, createPostgresBackend)
  : new Queue(renderInvoice.queue.name, { connection: { url }, prefix });
const job = toBullmq(renderInvoice, { invoiceId, revision: 1, locale: "de-DE" }, { requestId, requestedBy: "another team" });
await queue.add(job.name, job.data, job.opts);

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
await using engine = openEngine(url, { log, prefix });
console.log((await judgeQueues(engine)).lines.join("\\n"));
await queue.close();
await pool?.end();
`;

/** What npm says where there is no way to the registry. */
const NO_REGISTRY = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED/;

const versionOf = (name: string): string => {
  const ours = createRequire(join(root, "packages/jobs/package.json"));
  return JSON.parse(readFileSync(ours.resolve(`${name}/package.json`), "utf8")).version;
};

/** An empty project outside the workspace, into which npm installs what we publish. */
async function theirProject() {
  const folder = await dataFolder();
  const { dir } = folder;
  for (const name of ["contracts", "jobs"]) {
    const packed = await packPackage(root, `packages/${name}`, join(dir, `${name}.tgz`));
    if (!packed.ok) throw new Error(packed.output);
  }
  writeFileSync(join(dir, "package.json"), '{ "name": "their-service", "private": true }');
  writeFileSync(join(dir, "producer.mjs"), PRODUCER);
  const others = ["bullmq", "pg"].map((name) => `${name}@${versionOf(name)}`);
  const how = `--prefix ${dir} --loglevel=error --prefer-offline --fetch-retries=1`.split(" ");
  const words = ["install", ...how, "./contracts.tgz", "./jobs.tgz", ...others];
  const { ok, output } = await runCommand("npm", words, dir, theirEnv);
  return { folder, producer: join(dir, "producer.mjs"), ok, output };
}

/** One for both engines. */
let project: Awaited<ReturnType<typeof theirProject>>;
beforeAll(async () => {
  project = await theirProject();
}, 180_000);
afterAll(() => project.folder[Symbol.asyncDispose]());

describeEachEngine(
  "a job by plain BullMQ, from a project that installed what we publish",
  (engine) => {
    test("is done, and can be found in /v1/jobs", async ({ skip }) => {
      const { ok, output, producer, folder } = project;
      const [offline] = NO_REGISTRY.exec(output) ?? [];
      if (!ok && offline) skip(`npm cannot install what they would: no registry here (${offline})`);
      expect(ok, output).toBe(true);
      await using t = await openSmallStack(engine);
      const invoice = await t.invoice(3);
      await t.start("pdf-worker");

      const requestId = crypto.randomUUID();
      const { stdout } = await run(
        process.execPath,
        [producer, t.queue.url, t.queue.prefix, invoice.id, requestId],
        { cwd: folder.dir, env: theirEnv },
      );
      expect(stdout).toContain("0 would die");

      const job = await until(
        async () => {
          const found = await t.job(`/v1/jobs/${requestId}`).catch(() => undefined);
          return found?.state === "completed" ? found : undefined;
        },
        { deadlineMs: 120_000 },
      );
      expect(job.result).toMatchObject({ pageCount: 1 });
      const { body } = await t.api.call("GET", `/v1/jobs?subject=invoice:${invoice.id}`);
      expect(JSON.stringify(body)).toContain(requestId);
    });
  },
);
