import { prepareEngine } from "@ballast/jobs";
import { describeEachEngine, type EngineUnderTest } from "@ballast/testing";
import { appRoutes } from "@bull-board/api/dist/routes.js";
import { expect, test } from "vitest";
import { setup } from "./setup.ts";

const BOARD = "/ops/queues";
const ofPdf = `${BOARD}/api/queues?activeQueue=pdf&status=waiting&page=1&jobsPerPage=10`;

/** An API beside an engine with one waiting job, which holds an address. */
async function board(engine: EngineUnderTest) {
  await using opened = new AsyncDisposableStack();
  const { url: queueUrl, prefix } = opened.use(await engine.open());
  await prepareEngine(queueUrl);
  const t = opened.use(await setup({ queueUrl, prefix }));
  const data = { v: 1, payload: { to: "anna@example.org", invoiceId: "a1" } };
  await t.engine.add("pdf", [{ id: "job-1", name: "render-invoice", data, priority: 0 }]);
  const kept = opened.move();
  return { ...t, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const basic = (key: string) => ({
  Authorization: `Basic ${Buffer.from(`me:${key}`).toString("base64")}`,
});

describeEachEngine("the board of raw queues", (engine) => {
  test("shows what waits, without addresses, and its page loads nothing from elsewhere", async () => {
    await using t = await board(engine);
    const browser = (path: string) => t.as("").call("GET", path, { headers: basic(t.adminKey) });
    const page = await browser(`${BOARD}/queue/pdf`).expect(200);
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, f]) => f);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) await browser(`${BOARD}/${file}`).expect(200);
    expect(page.text).not.toMatch(/https?:|<style|<%/);
    expect(page.headers.get("content-security-policy")).toMatch(
      /default-src 'none';script-src 'self'/,
    );

    const { body } = await browser(ofPdf).expect(200);
    const pdf = body.queues.find(({ name }: { name: string }) => name === "pdf");
    expect(pdf).toMatchObject({
      readOnlyMode: true,
      allowRetries: false,
      counts: { waiting: 1 },
      jobs: [{ id: "job-1", data: { payload: { to: "[mail]", invoiceId: "a1" } } }],
    });
    const one = await browser(`${BOARD}/api/queues/pdf/job-1`).expect(200);
    expect(one.body).toMatchObject({ status: "waiting", job: { name: "render-invoice" } });
  });

  test("answers all that its page asks when a job is opened", async () => {
    await using t = await board(engine);
    const reads = appRoutes.api
      .filter(({ method }) => method === "get")
      .map(({ route }) => String(route).replace(":queueName", "pdf").replace(":jobId", "job-1"));
    expect(reads.length).toBeGreaterThan(5);
    for (const path of reads)
      expect.soft((await t.api.get(`${BOARD}${path}`)).status, path).toBeLessThan(500);
    await t.api.get(`${BOARD}/api/queues/pdf/job-1/flow`).expect(200);
  });

  test("changes nothing: every route by which a board would answers 405, and the job still waits", async () => {
    await using t = await board(engine);
    const writes = appRoutes.api
      .flatMap(({ method, route }) => [method].flat().map((one) => [one, String(route)] as const))
      .filter(([method]) => method !== "get");
    expect(writes.length).toBeGreaterThan(15);
    for (const [method, route] of writes) {
      const path = route.replace(":queueName", "pdf").replace(":jobId", "job-1");
      const got = await t.api.call(
        method.toUpperCase(),
        `${BOARD}${path.replaceAll(/:\w+/g, "waiting")}`,
      );
      expect.soft(got, `${method} ${route}`).toMatchObject({
        status: 405,
        body: { type: "/problems#method-not-allowed" },
      });
    }
    expect(await t.engine.state("pdf")).toMatchObject({ paused: false, waiting: 1, failed: 0 });
  });
});

test("it is for keys of all companies that may operate, and a browser is asked for one", async () => {
  await using t = await setup();
  const { companyId } = await t.tenant();
  const asked = await t.as("").call("GET", BOARD, { headers: { Authorization: "" } });
  expect(asked).toMatchObject({ status: 401, body: { type: "/problems#unauthorized" } });
  expect(asked.headers.get("www-authenticate")).toMatch(/^Basic/);
  await t
    .as(await t.keyFor(null, ["read", "write"]))
    .get(ofPdf)
    .expect(403);
  await t
    .as(await t.keyFor(companyId))
    .get(ofPdf)
    .expect(404);
});

test("while the engine is away it says so, and the page is there", async () => {
  await using t = await setup();
  await t.api.get(BOARD).expect(200);
  const { body } = await t.api.get(ofPdf).expect(503);
  expect(body.type).toBe("/problems#unavailable");
});
