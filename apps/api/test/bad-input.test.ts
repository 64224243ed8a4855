import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { companyExample, customerExample } from "../src/routes/examples.ts";
import { setup } from "./setup.ts";

const lines = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    description: `Ballast stone no. ${index + 1}, washed and sorted, delivered on pallets`,
    quantity: "1",
    unitPriceMinor: 100,
    taxRate: "19",
  }));

test("each bad field of an invoice is named with its limit, all of them at once", async () => {
  await using t = await setup();
  const { draft } = await t.tenant();
  const [line] = draft.lines;
  const got = await t.api.put(`/v1/invoices/${randomUUID()}`, {
    ...draft,
    currency: "EURO",
    dueDate: "2026-02-30",
    surprise: 1,
    lines: [
      { ...line, quantity: "1,5" },
      { ...line, taxRate: "101", description: "" },
      { ...line, unitPriceMinor: 1.5, unit: "x".repeat(21) },
    ],
  });
  expect(got.status).toBe(422);
  expect(got.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(got.body).toMatchObject({ type: "/problems#invalid-body", status: 422 });
  expect(got.body.errors).toEqual(
    expect.arrayContaining([
      { path: "currency", message: expect.stringContaining("ISO 4217") },
      { path: "dueDate", message: "must be a date, YYYY-MM-DD" },
      { path: "surprise", message: "is not a field of this request" },
      { path: "lines.0.quantity", message: expect.stringContaining("decimal in quotes") },
      { path: "lines.1.taxRate", message: expect.stringContaining('"0" to "100"') },
      { path: "lines.1.description", message: "must have at least 1 characters", limit: 1 },
      { path: "lines.2.unitPriceMinor", message: "must be a whole number" },
      { path: "lines.2.unit", message: "must have at most 20 characters", limit: 20 },
    ]),
  );
});

test.for<[string, object, object]>([
  ["an unknown currency", { currency: "XXQ" }, { path: "currency" }],
  ["10,001 lines", { lines: lines(10_001) }, { path: "lines", limit: 10_000 }],
  [
    "a line that is negative beyond the others",
    { lines: [{ ...lines(1)[0], quantity: "-2" }] },
    { path: "lines.0.quantity", limit: 0 },
  ],
  [
    "an amount too large",
    { lines: [{ ...lines(1)[0], quantity: "999999999999", unitPriceMinor: 999_999_999_999_999 }] },
    { path: "lines.0.unitPriceMinor", limit: 999_999_999_999_999 },
  ],
  ["a control character", { notes: "a\u0000b" }, { path: "notes" }],
  ["half of a surrogate pair", { notes: "a\ud800b" }, { path: "notes" }],
  [
    "a due date before the issue date",
    { issueDate: "2026-02-02", dueDate: "2026-02-01" },
    { path: "dueDate" },
  ],
  ["a customer that is not there", { customerId: randomUUID() }, { path: "customerId" }],
])("%s is refused with 422, naming the field and the limit", async ([, change, error]) => {
  await using t = await setup();
  const { draft } = await t.tenant();
  const got = await t.api.put(`/v1/invoices/${randomUUID()}`, { ...draft, ...change });
  expect(got.status).toBe(422);
  expect(got.body.errors).toContainEqual(expect.objectContaining(error));
});

test("10,000 lines are accepted, and credits that leave the total above zero", async () => {
  await using t = await setup();
  const { draft } = await t.tenant();
  const long = { ...draft, lines: lines(10_000) };
  const saved = await t.api.put(`/v1/invoices/${randomUUID()}`, long).expect(201);
  expect(saved.body).toMatchObject({
    netMinor: 1_000_000,
    taxMinor: 190_000,
    grossMinor: 1_190_000,
  });
  const credit = { ...lines(1)[0], quantity: "-1" };
  await t.api
    .put(`/v1/invoices/${randomUUID()}`, { ...draft, lines: [...lines(2), credit] })
    .expect(201);
});

test("a draft without lines can be written, but not issued: the refusal names lines and the limit", async () => {
  await using t = await setup();
  const { draft } = await t.tenant();
  const path = `/v1/invoices/${randomUUID()}`;
  await t.api.put(path, { ...draft, lines: [] }).expect(201);
  const got = await t.api.post(`${path}/issue`);
  expect(got).toMatchObject({
    status: 422,
    body: { type: "/problems#invoice-incomplete", errors: [{ path: "lines", limit: 1 }] },
  });
});

test("a body of 5 MB is refused with 413, naming the limit", async () => {
  await using t = await setup();
  const { companyId, draft } = await t.tenant();
  const notes = "x".repeat(5 * 1_048_576);
  const invoice = await t.api.put(`/v1/invoices/${randomUUID()}`, { ...draft, notes });
  expect(invoice).toMatchObject({ status: 413, body: { errors: [{ limit: 4 * 1_048_576 }] } });
  const company = await t.api.put(`/v1/companies/${companyId}`, { notes });
  expect(company).toMatchObject({ status: 413, body: { errors: [{ limit: 1_048_576 }] } });
});

test("what is no JSON, no UUID, no route or no method is refused with its own status", async () => {
  await using t = await setup();
  const path = `/v1/invoices/${randomUUID()}`;
  const send = (body: string, type: string) =>
    t.api.call("PUT", path, { body, headers: { "Content-Type": type } });

  expect(await send("{", "application/json")).toMatchObject({ status: 400 });
  expect(await send("a=b", "application/x-www-form-urlencoded")).toMatchObject({ status: 415 });
  expect(await t.api.call("PUT", path)).toMatchObject({ status: 400 });
  expect(await send("null", "application/json")).toMatchObject({ status: 400 });
  expect(await send("[]", "application/json")).toMatchObject({
    status: 422,
    body: { errors: [{ path: "(body)", message: "must be an object" }] },
  });
  expect(await t.api.get("/v1/invoices/R-000001")).toMatchObject({
    status: 400,
    body: { errors: [{ path: "invoiceId", message: "must be a UUID" }] },
  });
  expect(
    await t.api.get("/v1/jobs?limit=0&state=odd&nope=1&cursor=x&since=yesterday"),
  ).toMatchObject({
    status: 400,
    body: { errors: { length: 5 } },
  });
  expect(await t.api.get(path)).toMatchObject({
    status: 404,
    body: { type: "/problems#not-found" },
  });
  expect(await t.api.get("/v1/nope")).toMatchObject({
    status: 404,
    body: { type: "/problems#no-such-route" },
  });
  expect(await t.api.get("/v1/invoices/%zz")).toMatchObject({ status: 400 });
});

test("bytes that are no UTF-8 are refused with 400, and nothing else is stored in their place", async () => {
  await using t = await setup();
  const { companyId, customerId } = await t.tenant();
  const [before, after] = JSON.stringify({ ...customerExample, companyId, name: "A|B" }).split("|");
  const body = Buffer.concat([
    Buffer.from(before ?? ""),
    Buffer.of(0xff),
    Buffer.from(after ?? ""),
  ]);
  const got = await t.api.call("PUT", `/v1/customers/${customerId}`, {
    body,
    headers: { "Content-Type": "application/json" },
  });
  expect(got).toMatchObject({ status: 400, body: { detail: expect.stringContaining("UTF-8") } });
  expect((await t.api.get(`/v1/customers/${customerId}`)).body.name).toBe(customerExample.name);
});

test.each(["\u0000", "\u0085", "\ud800"])(
  "a web address that holds %j is refused with 422",
  async (character) => {
    await using t = await setup();
    const { companyId } = await t.tenant();
    const website = `https://example.com/a${character}b`;
    const got = await t.api.put(`/v1/companies/${companyId}`, { ...companyExample, website });
    expect(got).toMatchObject({ status: 422, body: { errors: [{ path: "website" }] } });
  },
);

test("an id means the same in capital letters", async () => {
  await using t = await setup();
  const { companyId, customerId, draft } = await t.tenant();
  const as = t.as(await t.keyFor(companyId));
  const upper = companyId.toUpperCase();
  await as.put(`/v1/companies/${upper}`, companyExample).expect(200);
  await as.get(`/v1/companies/${upper}`).expect(200);
  const again = { ...customerExample, companyId: upper };
  await as.put(`/v1/customers/${customerId.toUpperCase()}`, again).expect(200);
  const invoiceId = randomUUID();
  await as.put(`/v1/invoices/${invoiceId}`, { ...draft, companyId: upper }).expect(201);
  const key = { "Idempotency-Key": "k" };
  await as.post(`/v1/invoices/${invoiceId}/issue`, {}, key).expect(200);
  await as.post(`/v1/invoices/${invoiceId.toUpperCase()}/issue`, {}, key).expect(200);
});

test("an invoice that was issued does not change, and steps follow its state", async () => {
  await using t = await setup();
  const { invoiceId, draft } = await t.issued();
  const path = `/v1/invoices/${invoiceId}`;
  expect(await t.api.put(path, draft)).toMatchObject({
    status: 409,
    body: { type: "/problems#invoice-not-draft", detail: expect.stringContaining("is issued") },
  });
  expect(await t.api.post(`${path}/issue`)).toMatchObject({ status: 409 });
  await t.api.post(`${path}/pay`).expect(200);
  expect(await t.api.post(`${path}/void`)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining("is paid") },
  });
});

test("a draft asked for as PDF, mail or document is refused with 409 that says to issue it", async () => {
  await using t = await setup();
  const { draft } = await t.tenant();
  const path = `/v1/invoices/${randomUUID()}`;
  await t.api.put(path, draft).expect(201);
  const expected = {
    status: 409,
    body: {
      type: "/problems#invoice-not-issued",
      detail: expect.stringContaining(`POST ${path}/issue`),
    },
  };
  expect(await t.api.post(`${path}/pdf`)).toMatchObject(expected);
  expect(await t.api.post(`${path}/send`)).toMatchObject(expected);
  expect(await t.api.get(`${path}/document`)).toMatchObject(expected);
});

test("no body whatsoever makes PUT of an invoice answer 5xx", { timeout: 180_000 }, async () => {
  await using t = await setup();
  const { draft, customerId } = await t.tenant();
  const path = `/v1/invoices/${randomUUID()}`;
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\u0000", "\ud800", "1e9", "-0", "NaN", ""),
  );
  const anything = fc.anything({ withBigInt: false, maxDepth: 2 });
  const field = <T>(good: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 30, arbitrary: good }, text, anything);
  const decimal = fc.oneof(
    fc.integer().map(String),
    fc.tuple(fc.integer(), fc.nat()).map(([whole, rest]) => `${whole}.${rest}`),
  );
  const line = fc.record(
    {
      sku: field(fc.constant(null)),
      description: field(text),
      quantity: field(decimal),
      unit: field(fc.constant("pcs")),
      unitPriceMinor: field(fc.maxSafeInteger()),
      taxRate: field(fc.constantFrom("0", "7.7", "19")),
    },
    { requiredKeys: ["description", "quantity", "unitPriceMinor", "taxRate"] },
  );
  const body = fc.record(
    {
      customerId: field(fc.constant(customerId)),
      companyId: fc.constant(draft.companyId),
      currency: field(fc.constantFrom("EUR", "JPY", "KWD")),
      locale: field(fc.constantFrom("de-DE", "en-US")),
      issueDate: field(fc.constantFrom("2026-01-31", "0000-01-01", "9999-12-31")),
      dueDate: field(fc.constantFrom("2026-03-01", "0001-01-01")),
      notes: field(text),
      paymentTerms: field(text),
      lines: field(fc.array(field(line), { maxLength: 5 })),
    },
    { requiredKeys: ["customerId", "companyId", "lines"] },
  );
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      const got = await t.api.put(path, value);
      statuses.add(got.status);
      expect(got.status, got.text).toBeLessThan(500);
    }),
    { numRuns: 400 },
  );
  expect([...statuses].sort()).toEqual([200, 201, 422]); // both ends were reached
});
