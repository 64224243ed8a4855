import { expect, test } from "vitest";
import { setup } from "./setup.ts";

test("a job that needs no business change is asked for by its name", async () => {
  await using t = await setup();
  const asked = await t.api
    .post("/v1/jobs", { job: "echo", payload: { id: "7" }, dueAt: "2999-01-01T00:00:00Z" })
    .expect(202);

  const job = await t.api.get(asked.headers.get("location") ?? "").expect(200);
  expect(job.body).toMatchObject({ job: "echo", queue: "drill", state: "waiting" });
  expect(job.body.dueAt).toBe("2999-01-01T00:00:00.000Z");
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
