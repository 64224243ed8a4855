import { expect, test } from "vitest";
import { setup } from "./setup.ts";

test("a job that needs no business change is asked for by its name", async () => {
  await using t = await setup();
  const dueAt = new Date(Date.now() + 86_400_000).toISOString();
  const asked = await t.api
    .post("/v1/jobs", { job: "echo", payload: { id: "7" }, dueAt })
    .expect(202);

  const job = await t.api.get(asked.headers.get("location") ?? "").expect(200);
  expect(job.body).toMatchObject({ job: "echo", queue: "drill", state: "waiting" });
  expect(job.body.dueAt).toBe(dueAt);
});

test("what no service works at is asked for by keys of all companies alone", async () => {
  await using t = await setup();
  const { companyId } = await t.tenant();
  const own = t.as(await t.keyFor(companyId));
  for (const key of [{}, { "Idempotency-Key": "k" }])
    expect(await own.post("/v1/jobs", { job: "echo", payload: { id: "1" } }, key)).toMatchObject({
      status: 403,
      body: {
        type: "/problems#all-companies-only",
        detail: expect.stringMatching(/queue drill.*key of all companies/),
      },
    });
  expect((await t.api.get("/v1/jobs?queue=drill")).body.jobs).toEqual([]);
});

test("a job is due within a year, or refused", async () => {
  await using t = await setup();
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const ask = (dueAt: string) =>
    t.api.post("/v1/jobs", { job: "echo", payload: { id: "1" }, dueAt });
  for (const dueAt of [inDays(367), "9999-12-31T23:59:59Z"])
    expect(await ask(dueAt)).toMatchObject({
      status: 422,
      body: { errors: [{ path: "dueAt", message: "must be within a year from now" }] },
    });
  await ask(inDays(364)).expect(202);
  await ask("2020-01-01T00:00:00Z").expect(202);
});

test("a name that is unknown, or of a job that belongs to a business change, is refused with those that are not", async () => {
  await using t = await setup();
  for (const job of ["sing", "send-invoice"])
    expect(await t.api.post("/v1/jobs", { job, payload: {} })).toMatchObject({
      status: 422,
      body: { errors: [{ path: "job", message: "must be one of: echo" }] },
    });
});

test("a payload that breaks its contract is refused by the path of each bad field", async () => {
  await using t = await setup();
  expect(await t.api.post("/v1/jobs", { job: "echo", payload: { id: 7 } })).toMatchObject({
    status: 422,
    body: { errors: [{ path: "payload.id", message: "must be a string" }] },
  });
});
