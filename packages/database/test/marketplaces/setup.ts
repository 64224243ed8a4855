import { randomBytes, randomUUID } from "node:crypto";
import { createTestDatabase, sampleCompany } from "@ballast/testing";
import {
  insertAccount,
  listListings,
  type MarketplaceAccount,
  parseKeyRing,
  putListings,
  type StockChange,
  sealCredentials,
  setStock,
  upsertCompany,
  upsertProducts,
} from "../../src/index.ts";

export const aKey = (id: string) => `${id}:${randomBytes(32).toString("base64")}`;
export const ring = parseKeyRing(aKey("test"));

/** A company with articles `S0`, `S1`, … and an account at which none of them is listed yet. */
export async function setup({ articles = 3 } = {}) {
  const database = await createTestDatabase();
  const { db } = database;
  const company = await upsertCompany(db.kysely, sampleCompany());
  const skus = Array.from({ length: articles }, (_, n) => `S${n}`);
  await upsertProducts(
    db.kysely,
    skus.map((sku) => ({
      companyId: company.id,
      sku,
      name: sku,
      unitPriceMinor: 100n,
      currency: "EUR",
    })),
  );
  const open = (change: Partial<MarketplaceAccount> = {}) =>
    db.transaction((tx) => {
      const id = randomUUID();
      return insertAccount(
        tx,
        {
          id,
          companyId: company.id,
          kind: "generic-rest",
          name: "shop",
          settings: {},
          minPushIntervalMs: 0,
          reconcile: null,
          driftWinner: "ours",
          maxCorrections: 3,
          ...change,
        },
        sealCredentials(ring, id, { token: "hunter2" }),
      );
    });
  const account = await open();
  return {
    db,
    companyId: company.id,
    skus,
    account,
    open,
    list: (these: readonly string[] = skus, at = account) =>
      db.transaction((tx) =>
        putListings(
          tx,
          at,
          these.map((sku) => ({ sku, externalId: `x-${sku}` })),
        ),
      ),
    stock: (...changes: readonly StockChange[]) =>
      db.transaction((tx) => setStock(tx, company.id, changes)),
    listing: async (sku: string, at = account) => {
      const { listings } = await listListings(db.kysely, at.id, { sku });
      if (listings[0] === undefined) throw new Error(`no listing ${sku}`);
      return listings[0];
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
