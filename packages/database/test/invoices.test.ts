import { randomUUID } from "node:crypto";
import {
  createTestDatabase,
  sampleCompany,
  sampleCustomer,
  sampleDraft,
  sampleLine,
  seedIssuedInvoice,
} from "@ballast/testing";
import { expect, test } from "vitest";
import {
  type CompanyFacts,
  type Draft,
  findInvoice,
  findInvoiceForRendering,
  findInvoiceHead,
  InvoiceNotDraftError,
  InvoiceNotFoundError,
  InvoiceStateError,
  InvoiceWithoutLinesError,
  issueInvoice,
  listInvoices,
  payInvoice,
  sqlState,
  upsertCompany,
  upsertCustomer,
  upsertDraft,
  voidInvoice,
} from "../src/index.ts";

async function setup(overrides: Partial<CompanyFacts> = {}) {
  const database = await createTestDatabase();
  const { db } = database;
  const company = await upsertCompany(db.kysely, sampleCompany(overrides));
  const customer = await upsertCustomer(db.kysely, sampleCustomer(company.id));
  const draft = (change: Partial<Draft> = {}) =>
    db.transaction((tx) => upsertDraft(tx, sampleDraft(customer, change)));
  const issue = (id: string, scope = company.id) =>
    db.transaction((tx) => issueInvoice(tx, scope, id));
  return {
    db,
    company,
    customer,
    draft,
    issue,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test("a draft is stored with its lines, and replaced with them", async () => {
  await using t = await setup();
  const first = await t.draft();
  expect(first).toMatchObject({ state: "draft", number: null, revision: 0, grossMinor: 5_784n });
  expect(
    first.lines.map(({ position, quantity, taxRate }) => [position, quantity, taxRate]),
  ).toEqual([
    [1, "3", "19"],
    [2, "0.5", "7"],
  ]);

  const second = await t.draft({ id: first.id, lines: [sampleLine({ quantity: "1.2500" })] });

  expect(second.lines).toHaveLength(1);
  expect(second.lines[0]).toMatchObject({ quantity: "1.25", netMinor: 1_563n });
  expect(await findInvoice(t.db.kysely, t.company.id, first.id)).toEqual(second);
});

test("a draft of ten thousand lines is stored and adds up", async () => {
  await using t = await setup();
  const lines = Array.from({ length: 10_000 }, (_, n) =>
    sampleLine({ unitPriceMinor: BigInt(n), quantity: "1", taxRate: "0" }),
  );
  const { lines: stored, grossMinor } = await t.draft({ lines });
  expect(stored).toHaveLength(10_000);
  expect(grossMinor).toBe(49_995_000n);
});

test("another company's customer cannot be invoiced", async () => {
  await using t = await setup();
  const other = await upsertCompany(t.db.kysely, sampleCompany());
  const failure = await t.draft({ companyId: other.id }).catch((error: unknown) => error);
  expect(sqlState(failure)).toBe("23503");
});

test("another company's invoice can be neither overwritten nor read nor issued", async () => {
  await using t = await setup();
  const mine = await t.draft();
  const other = await upsertCompany(t.db.kysely, sampleCompany());
  const theirs = await upsertCustomer(t.db.kysely, sampleCustomer(other.id));

  const stealing = t.db.transaction((tx) => upsertDraft(tx, sampleDraft(theirs, { id: mine.id })));

  await expect(stealing).rejects.toThrow(InvoiceNotDraftError);
  expect(await findInvoice(t.db.kysely, other.id, mine.id)).toBeUndefined();
  expect(await findInvoiceHead(t.db.kysely, other.id, mine.id)).toBeUndefined();
  await expect(t.issue(mine.id, other.id)).rejects.toThrow(InvoiceNotFoundError);
  expect((await listInvoices(t.db.kysely, other.id)).invoices).toEqual([]);
  expect(await findInvoice(t.db.kysely, t.company.id, mine.id)).toEqual(mine);
});

test("twenty issued at once are numbered without a gap", async () => {
  await using t = await setup();
  const drafts = await Promise.all(Array.from({ length: 20 }, () => t.draft()));

  const issued = await Promise.all(drafts.map(({ id }) => t.issue(id)));

  const expected = Array.from({ length: 20 }, (_, n) => `R-${String(n + 1).padStart(6, "0")}`);
  expect(issued.map(({ number }) => number).sort()).toEqual(expected);
});

test("a transaction that is rolled back gives its number back", async () => {
  await using t = await setup({ numberPrefix: "2026/" });
  const [one, two] = [await t.draft(), await t.draft()];
  const failing = t.db.transaction(async (tx) => {
    await issueInvoice(tx, t.company.id, one.id);
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect((await t.issue(two.id)).number).toBe("2026/000001");
});

test("one issued twice at once is issued once", async () => {
  await using t = await setup();
  const { id } = await t.draft();
  const at = <T>(n: number, what: () => Promise<T>) => Array.from({ length: n }, what);
  await Promise.all(at(8, () => t.db.ping())); // so that none is late for want of a connection
  const outcomes = await Promise.allSettled(at(8, () => t.issue(id)));
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect((await t.issue((await t.draft()).id)).number).toBe("R-000002");
});

test("an issued document stays what it was, whatever changes later", async () => {
  await using t = await setup();
  const { id } = await t.draft();
  await t.issue(id);
  const before = await findInvoiceForRendering(t.db.kysely, t.company.id, id);

  await upsertCompany(t.db.kysely, sampleCompany({ id: t.company.id, legalName: "Other" }));
  await upsertCustomer(t.db.kysely, sampleCustomer(t.company.id, { id: t.customer.id, name: "X" }));

  expect(before?.company.legalName).toBe("Werft & Söhne GmbH");
  expect(await findInvoiceForRendering(t.db.kysely, t.company.id, id)).toEqual(before);
  await expect(t.draft({ id })).rejects.toThrow(/is issued .* void it/);
});

test("a draft has no document", async () => {
  await using t = await setup();
  const { id } = await t.draft();
  expect(await findInvoiceForRendering(t.db.kysely, t.company.id, id)).toBeUndefined();
});

test("it is issued on the day it is at the company, not in London", async () => {
  await using east = await setup({ timeZone: "Pacific/Kiritimati" }); // UTC+14
  await using west = await setup({ timeZone: "Etc/GMT+12" }); // UTC-12
  const dateAt = (timeZone: string) =>
    new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" }).format(new Date());

  const eastern = await east.issue((await east.draft()).id);
  const western = await west.issue((await west.draft()).id);

  expect(eastern.issueDate).toBe(dateAt("Pacific/Kiritimati"));
  expect(western.issueDate).toBe(dateAt("Etc/GMT+12"));
  expect(eastern.issueDate).not.toBe(western.issueDate);
});

test.each(["AET", "+14:00", "IST"])(
  'in "%s" it is the day this runtime says, whatever PostgreSQL makes of the name',
  async (timeZone) => {
    await using t = await setup({ timeZone });
    const issued = await t.issue((await t.draft()).id);
    const day = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
    expect(issued.issueDate).toBe(day.format(issued.issuedAt ?? 0));
  },
);

test("an invoice without lines cannot be issued", async () => {
  await using t = await setup();
  const { id } = await t.draft({ lines: [] });
  await expect(t.issue(id)).rejects.toThrow(InvoiceWithoutLinesError);
});

test("steps out of order are refused and say what is possible", async () => {
  await using t = await setup();
  const { id } = await t.draft();
  const pay = () => t.db.transaction((tx) => payInvoice(tx, t.company.id, id));
  const takeBack = () => t.db.transaction((tx) => voidInvoice(tx, t.company.id, id));

  await expect(pay()).rejects.toMatchObject({ state: "draft", possible: ["issue"] });
  await t.issue(id);
  await expect(t.issue(id)).rejects.toMatchObject({ possible: ["pay", "void", "move"] });
  expect(await pay()).toMatchObject({ state: "paid", paidAt: expect.any(Date) });
  await expect(takeBack()).rejects.toThrow(InvoiceStateError);
  await expect(takeBack()).rejects.toMatchObject({ state: "paid", possible: [] });
});

test("a void invoice keeps its number", async () => {
  await using t = await setup();
  const { id } = await t.draft();
  await t.issue(id);
  const taken = await t.db.transaction((tx) => voidInvoice(tx, "all", id));
  expect(taken).toMatchObject({ state: "void", number: "R-000001" });
});

test("an unknown invoice takes no step", async () => {
  await using t = await setup();
  await expect(t.issue(randomUUID())).rejects.toThrow(InvoiceNotFoundError);
});

test("pages of a list neither repeat nor miss an invoice", async () => {
  await using t = await setup();
  const all: string[] = [];
  for (let n = 0; n < 5; n += 1) all.unshift((await t.draft()).id);
  await seedIssuedInvoice(t.db); // of another company

  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listInvoices(t.db.kysely, t.company.id, {
      limit: 2,
      ...(cursor === undefined ? {} : { cursor }),
    });
    seen.push(...page.invoices.map(({ id }) => id));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);

  expect(seen).toEqual(all);
  expect((await listInvoices(t.db.kysely, "all", { state: "issued" })).invoices).toHaveLength(1);
});

test("a cursor that names another company's invoice tells nothing of it", async () => {
  await using t = await setup();
  await t.draft();
  const theirs = await seedIssuedInvoice(t.db);
  const page = await listInvoices(t.db.kysely, t.company.id, { cursor: theirs.invoice.id });
  expect(page).toEqual({ invoices: [], nextCursor: null });
});
