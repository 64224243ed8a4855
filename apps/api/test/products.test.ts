import { expect, test } from "vitest";
import { setup } from "./setup.ts";

const facts = { name: "Ballast stone, 20 kg", unitPriceMinor: 1995, currency: "EUR" };

test("a team sets up an article and its stock over HTTP alone", async () => {
  await using t = await setup();
  const { companyId } = await t.tenant();
  const api = t.as(await t.keyFor(companyId));
  await api.put("/v1/stock/NEW-1", { quantity: 4 }).expect(404);
  await api.put("/v1/products/NEW-1", facts).expect(201);
  await api.put("/v1/stock/NEW-1", { quantity: 4 }).expect(200);
  const changed = await api.put("/v1/products/NEW-1", { ...facts, name: "Stone" }).expect(200);
  expect(changed.body).toEqual({ companyId, sku: "NEW-1", ...facts, name: "Stone" });
  expect((await api.get("/v1/products/NEW-1")).body).toEqual(changed.body);
  expect((await api.get("/v1/stock/NEW-1")).body.quantity).toBe(4);
});

test("articles are listed page by page, those of the company alone", async () => {
  await using t = await setup();
  const [{ companyId }, other] = [await t.tenant(), await t.tenant()];
  const items = ["A", "B/1", "C"].map((sku) => ({ sku, ...facts }));
  const posted = await t.api.post("/v1/products", { companyId, items: [...items, ...items] });
  expect(posted).toMatchObject({ status: 200, body: { products: 3 } });
  await t.api.post("/v1/products", { companyId: other.companyId, items }).expect(200);

  const api = t.as(await t.keyFor(companyId));
  const skus: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const after: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await api.get(`/v1/products?limit=1${after}`).expect(200);
    skus.push(...body.products.map(({ sku }: { sku: string }) => sku));
    cursor = body.nextCursor;
  }
  expect(skus).toEqual(["A", "B/1", "C"]);
  const asked = await api.get(`/v1/products?companyId=${other.companyId}`).expect(200);
  expect(asked.body.products).toEqual([]);
});

test.for<[string, object, string]>([
  ["a negative price", { unitPriceMinor: -1 }, "unitPriceMinor"],
  ["a price that is not whole", { unitPriceMinor: 1.5 }, "unitPriceMinor"],
  ["no such currency", { currency: "XXQ" }, "currency"],
  ["no name", { name: "" }, "name"],
])("%s is refused, naming the field", async ([, change, path]) => {
  await using t = await setup();
  const { companyId } = await t.tenant();
  const got = await t.api.put("/v1/products/NEW-1", { ...facts, companyId, ...change });
  expect(got).toMatchObject({ status: 422, body: { errors: [{ path }] } });
});
