import { randomUUID } from "node:crypto";
import {
  createTestDatabase,
  sampleCompany,
  sampleCustomer,
  seedIssuedInvoice,
} from "@ballast/testing";
import { expect, test } from "vitest";
import {
  CustomerOfAnotherCompanyError,
  findCompany,
  findCustomer,
  findDocument,
  findProduct,
  listCompanies,
  listCustomers,
  listDocuments,
  listProducts,
  paperOf,
  recordDocument,
  upsertCompany,
  upsertCustomer,
  upsertProducts,
  uuidv7,
} from "../src/index.ts";

test("a company is stored as it was given, and its series goes on when it is given anew", async () => {
  await using t = await createTestDatabase();
  const { company } = await seedIssuedInvoice(t.db);

  const renamed = await upsertCompany(
    t.db.kysely,
    sampleCompany({ id: company.id, legalName: "Neue Werft AG", taxIds: [] }),
  );

  expect(renamed).toMatchObject({ legalName: "Neue Werft AG", taxIds: [], nextInvoiceNumber: 2 });
  expect(await findCompany(t.db.kysely, "all", company.id)).toEqual(renamed);
});

test.each([
  ["DE", "A4"],
  ["us", "Letter"],
  ["CA", "Letter"],
  ["MX", "Letter"],
  ["JP", "A4"],
])("in %s people print on %s", (country, paper) => expect(paperOf(country)).toBe(paper));

test("a company sees itself alone", async () => {
  await using t = await createTestDatabase();
  const ours = await upsertCompany(t.db.kysely, sampleCompany());
  const other = await upsertCompany(t.db.kysely, sampleCompany());
  expect(await findCompany(t.db.kysely, ours.id, other.id)).toBeUndefined();
  expect(await listCompanies(t.db.kysely, ours.id)).toEqual([ours]);
  expect(await listCompanies(t.db.kysely, "all")).toHaveLength(2);
});

test("a customer is found by its own company and by nobody else's", async () => {
  await using t = await createTestDatabase();
  const ours = await upsertCompany(t.db.kysely, sampleCompany());
  const other = await upsertCompany(t.db.kysely, sampleCompany());
  const customer = await upsertCustomer(t.db.kysely, sampleCustomer(ours.id));

  expect(await findCustomer(t.db.kysely, ours.id, customer.id)).toEqual(customer);
  expect(await findCustomer(t.db.kysely, other.id, customer.id)).toBeUndefined();
  expect(await listCustomers(t.db.kysely, other.id)).toEqual([]);
});

test("a customer cannot be moved to another company", async () => {
  await using t = await createTestDatabase();
  const ours = await upsertCompany(t.db.kysely, sampleCompany());
  const other = await upsertCompany(t.db.kysely, sampleCompany());
  const customer = await upsertCustomer(t.db.kysely, sampleCustomer(ours.id));

  const moving = upsertCustomer(t.db.kysely, { ...customer, companyId: other.id, name: "stolen" });

  await expect(moving).rejects.toThrow(CustomerOfAnotherCompanyError);
  expect(await findCustomer(t.db.kysely, "all", customer.id)).toEqual(customer);
});

test("thousands of products are stored at once, and replaced by sku", async () => {
  await using t = await createTestDatabase();
  const { id: companyId } = await upsertCompany(t.db.kysely, sampleCompany());
  const products = Array.from({ length: 20_000 }, (_, n) => ({
    companyId,
    sku: `S-${n}`,
    name: `Thing ${n}`,
    unitPriceMinor: BigInt(n),
    currency: "EUR",
  }));

  await upsertProducts(t.db.kysely, products);
  await upsertProducts(
    t.db.kysely,
    products.slice(0, 2).map((product) => ({ ...product, unitPriceMinor: 7n })),
  );

  const listed = await listProducts(t.db.kysely, companyId, { limit: 30_000 });
  expect(listed.products).toHaveLength(20_000);
  expect(await findProduct(t.db.kysely, companyId, "S-1")).toMatchObject({ unitPriceMinor: 7n });
  expect(await findProduct(t.db.kysely, randomUUID(), "S-1")).toBeUndefined();
});

const aDocument = ({ id, companyId }: { id: string; companyId: string }) => ({
  companyId,
  invoiceId: id,
  revision: 1,
  locale: "de-DE",
  objectKey: `invoices/${id}.pdf`,
  mailBodyKey: null,
  sha256: "a".repeat(64),
  pageCount: 1,
  sizeBytes: 100,
});

test("however many record one document at the same moment, it is one", async () => {
  await using t = await createTestDatabase();
  for (let round = 0; round < 20; round += 1) {
    const document = aDocument((await seedIssuedInvoice(t.db)).invoice);
    const recorded = await Promise.all(
      Array.from({ length: 8 }, () => recordDocument(t.db.kysely, document)),
    );
    expect(new Set(recorded.map(({ id }) => id)).size).toBe(1);
  }
});

test("a document recorded twice keeps its id and takes the new facts", async () => {
  await using t = await createTestDatabase();
  const { invoice } = await seedIssuedInvoice(t.db);
  const document = aDocument(invoice);

  const first = await recordDocument(t.db.kysely, document);
  const again = await recordDocument(t.db.kysely, document);
  const newer = await recordDocument(t.db.kysely, { ...document, pageCount: 2 });

  expect(again.id).toBe(first.id);
  expect(newer).toMatchObject({ id: first.id, pageCount: 2 });
  expect(await findDocument(t.db.kysely, invoice.companyId, newer)).toEqual(newer);
  expect(await findDocument(t.db.kysely, randomUUID(), newer)).toBeUndefined();
  expect(await listDocuments(t.db.kysely, randomUUID(), invoice.id)).toEqual([]);
});

test("ids sort by the time they were made", () => {
  const ids = [1_000, 2_000, 1_700_000_000_000, 1_700_000_000_001].map((now) => uuidv7(now));
  expect(ids.toSorted()).toEqual(ids);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
});
