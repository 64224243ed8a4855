import { findInvoiceForRendering } from "@ballast/database";
import { expect, test } from "vitest";
import { createTestDatabase, seedIssuedInvoice } from "../src/index.ts";

test("a seeded invoice is issued, and its groups add up to its total", async () => {
  await using database = await createTestDatabase();

  const { company, invoice } = await seedIssuedInvoice(database.db);

  const found = await findInvoiceForRendering(database.db.kysely, company.id, invoice.id);
  expect(found).toEqual(invoice);
  expect(invoice).toMatchObject({
    state: "issued",
    number: "R-000001",
    revision: 1,
    netMinor: 4_985n,
    taxMinor: 799n,
    grossMinor: 5_784n,
    taxGroups: [
      { taxRate: "19", netMinor: 3_750n, taxMinor: 713n },
      { taxRate: "7", netMinor: 1_235n, taxMinor: 86n },
    ],
  });
});
