import { createHash, randomBytes } from "node:crypto";
import { recordDocument } from "@ballast/database";
import { expect, test } from "vitest";
import { type Api, setup } from "./setup.ts";

async function stored(t: Api) {
  const { companyId, invoiceId } = await t.issued();
  const pdf = randomBytes(200_000);
  const objectKey = `${companyId}/${invoiceId}.pdf`;
  const sha256 = createHash("sha256").update(pdf).digest("hex");
  await t.documents.put(objectKey, pdf, { contentType: "application/pdf" });
  await recordDocument(t.database.kysely, {
    companyId,
    invoiceId,
    revision: 1,
    locale: "de-AT",
    objectKey,
    mailBodyKey: null,
    sha256,
    pageCount: 1,
    sizeBytes: pdf.byteLength,
  });
  const get = async (headers: Record<string, string> = {}, method = "GET") => {
    const response = await fetch(`${t.url}/v1/invoices/${invoiceId}/document`, {
      method,
      headers: { Authorization: `Bearer ${t.adminKey}`, ...headers },
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, header: (name: string) => response.headers.get(name), bytes };
  };
  return { pdf, etag: `"${sha256}"`, get, objectKey };
}

test("the document comes as it was stored, named after the invoice, with its hash as ETag", async () => {
  await using t = await setup();
  const { pdf, etag, get } = await stored(t);
  const got = await get();
  expect(got.status).toBe(200);
  expect(got.bytes.equals(pdf)).toBe(true);
  expect(got.header("etag")).toBe(etag);
  expect(got.header("content-type")).toBe("application/pdf");
  expect(got.header("content-disposition")).toBe('inline; filename="R-000001.pdf"');
  const head = await get({}, "HEAD");
  expect([head.status, head.header("content-length"), head.bytes.length]).toEqual([
    200,
    "200000",
    0,
  ]);
});

test("a caller that has it already gets 304", async () => {
  await using t = await setup();
  const { etag, get } = await stored(t);
  for (const tag of [etag, `"other", W/${etag}`, "*"])
    expect(await get({ "If-None-Match": tag })).toMatchObject({
      status: 304,
      bytes: { length: 0 },
    });
  expect((await get({ "If-None-Match": '"other"' })).status).toBe(200);
});

test("a single range is served alone; one beyond the end answers 416 with the size", async () => {
  await using t = await setup();
  const { pdf, etag, get } = await stored(t);
  const part = async (range: string, start: number, end: number) => {
    const got = await get({ Range: range });
    expect([got.status, got.header("content-range")]).toEqual([
      206,
      `bytes ${start}-${end}/200000`,
    ]);
    expect(got.bytes.equals(pdf.subarray(start, end + 1)), range).toBe(true);
  };
  await part("bytes=0-0", 0, 0);
  await part("bytes=1000-70000", 1_000, 70_000);
  await part("bytes=199990-", 199_990, 199_999);
  await part("bytes=-10", 199_990, 199_999);
  await part("bytes=5-999999", 5, 199_999);

  for (const range of ["bytes=200000-", "bytes=-0"]) {
    const beyond = await get({ Range: range });
    expect([beyond.status, beyond.header("content-range")]).toEqual([416, "bytes */200000"]);
  }
  for (const range of ["bytes=0-1,5-6", "bytes=9-2", "lines=1-2", "bytes=x-"])
    expect((await get({ Range: range })).status, range).toBe(200);
  expect((await get({ Range: "bytes=0-1", "If-Range": etag })).status).toBe(206);
  expect((await get({ Range: "bytes=0-1", "If-Range": '"other"' })).status).toBe(200);
});

test("a HEAD tells of the whole document, whatever range it asks for", async () => {
  await using t = await setup();
  const { get } = await stored(t);
  const head = await get({ Range: "bytes=0-9" }, "HEAD");
  expect([head.status, head.header("content-length")]).toEqual([200, "200000"]);
});

test("an invoice without a PDF says how to get one", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const expected = {
    status: 404,
    body: { type: "/problems#document-not-rendered", detail: expect.stringContaining("/pdf") },
  };
  expect(await t.api.get(`/v1/invoices/${invoiceId}/document`)).toMatchObject(expected);
  const { get, objectKey } = await stored(t);
  await t.documents.delete(objectKey);
  expect((await get()).status).toBe(404);
});
