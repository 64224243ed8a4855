import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "@ballast/local";
import { expect, test } from "vitest";
import { run } from "../src/command.ts";

const programs = join(root, "infra/docker/programs");

/** What an image has in /srv: the programs, and apps that say who they are. */
function image(...apps: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "ballast-srv-"));
  cpSync(programs, folder, { recursive: true });
  for (const app of apps) {
    mkdirSync(join(folder, app, "dist"), { recursive: true });
    const tell = "console.log(JSON.stringify(process.argv.slice(1)));\n";
    for (const program of ["main.js", "judge-queues.js"])
      writeFileSync(join(folder, app, "dist", program), tell);
    for (const program of ["database/dist/migrate.js", "jobs/dist/prepare-engine.js"]) {
      const file = join(folder, app, "node_modules/@ballast", program);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, tell);
    }
    writeFileSync(join(folder, app, "package.json"), '{"type":"module"}');
  }
  return {
    folder,
    run: (...words: string[]) => run(process.execPath, [join(folder, "run.mjs"), ...words]),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

test("the command picks the app, which believes to have been started by itself", async () => {
  using all = image("api", "pdf-worker");
  const argv = JSON.parse(await all.run("pdf-worker", "--flag"));
  expect(argv).toEqual([join(all.folder, "pdf-worker/dist/main.js"), "--flag"]);
});

test("an image of any one app brings the database up to date, and then the queue engine's tables", async () => {
  using one = image("email-worker");
  expect(await one.run("migrate")).toMatch(/database\/dist\/migrate\.js.*\n.*prepare-engine\.js/);
});

test("the API's image, and no other, judges the queues", async () => {
  using api = image("api");
  expect(await api.run("judge-queues")).toContain("api/dist/judge-queues.js");
  using other = image("pdf-worker");
  await expect(other.run("judge-queues")).rejects.toThrow("failed (78)");
});

test("a program that the image does not have ends it with what there is", async () => {
  using one = image("api");
  await expect(one.run("pdf-worker")).rejects.toThrow(
    /failed \(78\):\n.*"pdf-worker".*one of api, migrate, create-key, judge-queues/s,
  );
});

test("asked for more than its life, a process that lives and cannot work says why", async () => {
  const server = createServer(({ url }, response) =>
    response.writeHead(url === "/readyz" ? 503 : 200).end(`of ${url}`),
  );
  await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
  const env = { ...process.env, OPS_PORT: String((server.address() as AddressInfo).port) };
  const ask = (...words: string[]) =>
    run(process.execPath, [join(programs, "healthy.mjs"), ...words], { env });
  try {
    await ask();
    await expect(ask("readyz")).rejects.toThrow("failed (1):\nof /readyz");
  } finally {
    server.close();
  }
});

test.each([
  [200, "well"],
  [503, "ill"],
])("a process that answers %i is %s", async (status, state) => {
  const server = createServer((_request, response) => response.writeHead(status).end());
  await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
  const env = { ...process.env, OPS_PORT: String((server.address() as AddressInfo).port) };
  const asked = run(process.execPath, [join(programs, "healthy.mjs")], { env });
  try {
    if (state === "well") await asked;
    else await expect(asked).rejects.toThrow("failed (1)");
  } finally {
    server.close();
  }
});
