import { renderInvoice } from "@ballast/contracts";
import { listJobRequests } from "@ballast/database";
import { expect, test } from "vitest";
import { base64Lines, PDF, setup } from "./setup.ts";

test("no mail leaves without its PDF: the PDF is asked for, and looked for again in 5 s", async () => {
  await using t = await setup({ rendered: false });

  for (const _ of [1, 2])
    await expect(t.attempt()).rejects.toMatchObject({
      name: "DependencyDownError",
      code: "document_not_rendered",
      retryAfterMs: 5_000,
    });

  expect(t.server.mails).toHaveLength(0);
  const asked = await listJobRequests(t.database.kysely, t.company.id, {});
  expect(asked.requests.map(({ run }) => run.job)).toEqual([renderInvoice.name]); // once
});

test("a PDF that was recorded and is gone is asked for too", async () => {
  await using t = await setup();
  await t.documents.delete(t.objectKey);
  await t.documents.delete(`${t.objectKey}.b64`);

  await expect(t.attempt()).rejects.toMatchObject({ code: "document_not_rendered" });
  expect(t.server.mails).toHaveLength(0);
});

test.each([
  ["absent", null],
  ["cut short", base64Lines(PDF).subarray(0, 500)],
  ["of the same length but of another document", base64Lines(Buffer.from(PDF).fill("x", 100, 110))],
  ["larger than it can be", Buffer.concat([base64Lines(PDF), base64Lines(PDF)])],
  ["without its last line end", base64Lines(PDF).subarray(0, -2)],
])("where the stored base64 is %s, the mail still holds the PDF whole", async (_what, mailBody) => {
  await using t = await setup({ mailBody });

  await t.attempt();

  expect(t.server.mails[0]?.parsed.attachments[0]?.content.equals(PDF)).toBe(true);
});

test("a PDF that is not the one that was recorded is not mailed", async () => {
  await using t = await setup({ mailBody: null });
  const other = Buffer.from(PDF).fill("x", 100, 110);
  await t.documents.put(t.objectKey, other, { contentType: "application/pdf" });

  await expect(t.attempt()).rejects.toMatchObject({ code: "document_not_rendered" });
});

test("a PDF too large for mail is dead at once and says how large it may be", async () => {
  await using t = await setup({ deps: { maxAttachmentBytes: 1_000 } });

  await expect(t.attempt()).rejects.toMatchObject({
    name: "PermanentError",
    code: "attachment_too_large",
    message: expect.stringContaining("at most 1000"),
  });
});

test("a mail that was sent is found sent even where its PDF is gone since", async () => {
  await using t = await setup();
  const first = await t.attempt();
  await t.documents.delete(t.objectKey);
  await t.documents.delete(`${t.objectKey}.b64`);

  expect(await t.attempt()).toEqual(first);
});
