import { execFile } from "node:child_process";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { root } from "../src/checkout.ts";
import { packPackage } from "../src/pack-package.ts";
import { dataFolder } from "./data-folder.ts";
import { openSmallStack } from "./small-stack.ts";

const run = promisify(execFile);

/** What another team would write: their folder, BullMQ, and our contracts from the tarball. */
const PRODUCER = `
import { renderInvoice, toBullmq } from "@ballast/contracts";
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
await queue.close();
await pool?.end();
`;

/** A project outside the workspace with the packed contracts; what npm would fetch is linked instead. */
async function theirProject(dir: string): Promise<string> {
  const tarball = join(dir, "contracts.tgz");
  const packed = await packPackage(root, "packages/contracts", tarball);
  if (!packed.ok) throw new Error(packed.output);
  await run("tar", ["xzf", tarball], { cwd: dir });
  const modules = join(dir, "node_modules");
  mkdirSync(join(modules, "@ballast"), { recursive: true });
  symlinkSync(join(dir, "package"), join(modules, "@ballast/contracts"));
  const ours = createRequire(join(root, "packages/jobs/package.json"));
  for (const name of ["bullmq", "ioredis", "pg", "zod"]) {
    const inside = realpathSync(ours.resolve(name));
    const folder = inside.slice(0, inside.lastIndexOf(`/node_modules/${name}/`));
    symlinkSync(join(folder, "node_modules", name), join(modules, name));
  }
  const file = join(dir, "producer.mjs");
  writeFileSync(file, PRODUCER);
  return file;
}

describeEachEngine("a job by plain BullMQ and the contracts' tarball alone", (engine) => {
  test("is done, and can be found in /v1/jobs", async () => {
    await using t = await openSmallStack(engine);
    await using folder = await dataFolder();
    const producer = await theirProject(folder.dir);
    const invoice = await t.invoice(3);
    await t.start("pdf-worker");

    const requestId = crypto.randomUUID();
    const { NODE_OPTIONS: _, ...env } = process.env; // the condition for sources is not theirs
    await run(process.execPath, [producer, t.queue.url, t.queue.prefix, invoice.id, requestId], {
      cwd: folder.dir,
      env,
    });

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
});
