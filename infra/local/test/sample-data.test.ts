import { expect, test } from "vitest";
import { sampleCompanies } from "../src/sample/companies.ts";
import { sampleCustomers } from "../src/sample/customers.ts";
import { sampleId } from "../src/sample/identity.ts";
import { longInvoice, sampleInvoices } from "../src/sample/invoices.ts";
import { sampleProducts } from "../src/sample/products.ts";

const distinct = <T>(values: readonly T[]) => new Set(values).size;

test("the sample has two companies, 30 customers, 200 products and 40 invoices, each under its own id", () => {
  expect(sampleCompanies).toHaveLength(2);
  expect(sampleCustomers).toHaveLength(30);
  expect(distinct(sampleProducts.map((p) => `${p.companyId}/${p.sku}`))).toBe(200);
  expect(sampleInvoices).toHaveLength(40);
  const ids = [...sampleCompanies, ...sampleCustomers, ...sampleInvoices].map(({ id }) => id);
  expect(distinct(ids)).toBe(72);
});

test("every invoice belongs to a customer of its own company and has lines", () => {
  for (const invoice of sampleInvoices) {
    const customer = sampleCustomers.find(({ id }) => id === invoice.customerId);
    expect(customer?.companyId).toBe(invoice.companyId);
    expect(invoice.lines.length).toBeGreaterThan(0);
  }
});

test("the invoices show several currencies and locales, and one has 1,000 lines", () => {
  const currencies = new Set(sampleInvoices.map(({ currency }) => currency));
  expect([...currencies].sort()).toEqual(["CHF", "EUR", "GBP", "JPY", "KWD", "USD"]);
  expect(distinct(sampleInvoices.map(({ locale }) => locale))).toBe(7);
  expect(longInvoice().lines).toHaveLength(1_000);
});

test("ids are the same in every run, and versioned as UUIDs are", () => {
  expect(sampleId("company/nordlicht")).toBe(sampleId("company/nordlicht"));
  expect(sampleId("a")).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});
