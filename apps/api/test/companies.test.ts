import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { companyExample } from "../src/routes/examples.ts";
import { setup } from "./setup.ts";

const from = (mailFromAddress: string) => ({ ...companyExample, mailFromAddress });

test("a company's own key does not make it mail from another domain; a key of all companies does", async () => {
  await using t = await setup();
  const { companyId } = await t.tenant();
  const path = `/v1/companies/${companyId}`;
  const own = t.as(await t.keyFor(companyId));

  for (const address of ["rechnung@werft.example", "a@mail.nordlicht.example"])
    expect(await own.put(path, from(address))).toMatchObject({
      status: 403,
      body: {
        type: "/problems#all-companies-only",
        detail: expect.stringMatching(`${address}.*nordlicht.example.*ask an operator`),
      },
    });
  const { mailFromAddress } = companyExample;
  expect((await own.get(path)).body).toMatchObject({ mailFromAddress });

  await t.api.put(path, from("rechnung@werft.example")).expect(200);
  await own.put(path, from("mahnung@werft.example")).expect(200);
});

test("a company's own key does not undo the domain that an operator is changing at that moment", async () => {
  await using t = await setup();
  const { companyId } = await t.tenant();
  const own = t.as(await t.keyFor(companyId));
  const late = await t.database.transaction(async (tx) => {
    await tx
      .updateTable("companies")
      .set({ mailFromAddress: "rechnung@werft.example" })
      .where("id", "=", companyId)
      .execute();
    const answer = own.put(`/v1/companies/${companyId}`, companyExample);
    const waiting = t.database.kysely
      .selectFrom("pg_stat_activity" as never)
      .where("wait_event_type" as never, "=", "Lock" as never)
      .where((eb) => eb("datname" as never, "=", eb.fn<null>("current_database", [])))
      .select((eb) => eb.fn.countAll<string>().as("count"));
    await expect
      .poll(async () => Number((await waiting.executeTakeFirst())?.count))
      .toBeGreaterThan(0);
    return { answer };
  });
  expect(await late.answer).toMatchObject({ status: 403 });
});

test("a company's own key changes what stands before the @, and the domain's capitals", async () => {
  await using t = await setup();
  const { companyId } = await t.tenant();
  const own = t.as(await t.keyFor(companyId));
  const got = await own
    .put(`/v1/companies/${companyId}`, from("Buchhaltung@Nordlicht.EXAMPLE"))
    .expect(200);
  expect(got.body.mailFromAddress).toBe("Buchhaltung@Nordlicht.EXAMPLE");
});

test("a key that was made before its company does not choose the company's domain", async () => {
  await using t = await setup();
  const companyId = randomUUID();
  const path = `/v1/companies/${companyId}`;
  const own = t.as(await t.keyFor(companyId));
  expect(await own.put(path, companyExample)).toMatchObject({
    status: 403,
    body: { type: "/problems#all-companies-only" },
  });
  await t.api.put(path, companyExample).expect(201);
  await own.put(path, companyExample).expect(200);
});
