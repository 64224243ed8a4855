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
