import { suppress, voidInvoice } from "@ballast/database";
import { expect, test } from "vitest";
import { setup } from "./setup.ts";

test("a suppressed recipient gets no mail", async () => {
  await using t = await setup();
  await suppress(t.database.kysely, t.company.id, "EINGANG@kundin.example", "bounced twice");

  await expect(t.attempt()).rejects.toMatchObject({
    name: "PermanentError",
    code: "recipient_suppressed",
    message: expect.stringContaining("bounced twice"),
  });
  expect(t.server.mails).toHaveLength(0);
  expect(await t.deliveries()).toMatchObject([{ state: "suppressed" }]);
});

test.each([
  [null, "recipient_missing"],
  ["nobody", "recipient_invalid"],
  ["a@kundin.example, b@kundin.example", "recipient_invalid"],
  ["a@kundin.example\r\nRCPT TO:<b@kundin.example>", "recipient_invalid"],
])("a customer whose address is %j is dead at once", async (email, code) => {
  await using t = await setup({ seed: { customer: { email } } });

  const error = await t.attempt().catch((thrown) => thrown);

  expect(error).toMatchObject({ name: "PermanentError", code });
  expect(error.message).not.toContain("kundin.example");
  expect(t.server.connections).toBe(0);
});

test("a sender that is no address is dead at once and names the company", async () => {
  await using t = await setup({ seed: { company: { mailFromAddress: "not an address" } } });

  await expect(t.attempt()).rejects.toMatchObject({
    code: "sender_invalid",
    message: expect.stringContaining(t.company.id),
  });
});

test("hostile names of company and customer stay within their places", async () => {
  const name = "Evil\r\nBcc: thief@example.net\r\n\r\n<img src=x onerror=alert(1)>{{7*7}}";
  await using t = await setup({
    seed: {
      company: { legalName: name, mailFromName: name, numberPrefix: "R\r\nX-Evil: 1 " },
      customer: { name },
    },
  });

  await t.attempt();

  const [mail] = t.server.mails;
  expect(mail?.envelopeTo).toEqual([t.customer.email]);
  expect(mail?.parsed.headerLines.map(({ key }) => key)).not.toContain("bcc");
  expect(mail?.parsed.headerLines.map(({ key }) => key)).not.toContain("x-evil");
  expect(mail?.parsed.from?.value[0]?.name).toBe(name.replace(/[\r\n]+/g, " "));
  expect(mail?.parsed.html).not.toContain("<img");
});

test.each([
  [
    "an invoice that is not there",
    { invoiceId: "0190a000-0000-7000-8000-000000000000" },
    "invoice_not_found",
  ],
  ["a revision that was replaced", { revision: 2 }, "revision_replaced"],
])("%s is dead at once", async (_what, change, code) => {
  await using t = await setup();

  await expect(
    t.attempt({ payload: { ...t.payload, ordinal: 1, ...change } }),
  ).rejects.toMatchObject({
    name: "PermanentError",
    code,
  });
});

test("another company's invoice is not there", async () => {
  await using t = await setup();

  await expect(
    t.attempt({ companyId: "0190a000-0000-7000-8000-000000000000" }),
  ).rejects.toMatchObject({ code: "invoice_not_found" });
});

test("a void invoice is not mailed, and one that was mailed before is still found sent", async () => {
  await using unsent = await setup();
  await unsent.database.transaction((tx) => voidInvoice(tx, "all", unsent.invoice.id));
  await using sent = await setup();
  const first = await sent.attempt();
  await sent.database.transaction((tx) => voidInvoice(tx, "all", sent.invoice.id));

  await expect(unsent.attempt()).rejects.toMatchObject({ code: "invoice_void" });
  expect(await sent.attempt()).toEqual(first);
});
