import { renderInvoice } from "@ballast/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { adoptionOf, NO_VERSION } from "../src/adoption.ts";
import { addedId, journalId, unfitId } from "../src/identity.ts";

const createdAt = new Date("2026-11-23T02:00:00Z");
const invoiceId = "01936f5e-7a3c-7c1e-9d55-3f0a2b6c8d10";
const start = {
  attemptId: "a",
  queue: "pdf",
  engineJobId: journalId({ engineJobId: "7", createdAt, isOurs: false }),
  worker: "w",
};
const delivered = (data: unknown) => ({
  engineJobId: "7",
  name: "render-invoice",
  data,
  attemptsMade: 0,
  stallCount: 0,
  isFirst: true,
  isOurs: false,
  createdAt,
  readyAt: createdAt,
});

test("another team's job gets the contract's slot, subject and deadline", () => {
  const data = { v: 1, payload: { invoiceId, revision: 1, locale: "de-DE" } };
  expect(adoptionOf(start, delivered(data), renderInvoice)).toMatchObject({
    engineJobId: `7@${createdAt.getTime()}`,
    subject: `invoice:${invoiceId}`,
    slot: `render-invoice:-:${invoiceId}:r1:de-DE`,
    deadlineAt: new Date(createdAt.getTime() + renderInvoice.giveUpAfterMs),
  });
});

test("the producer's own deadline counts where it is earlier", () => {
  const deadline = "2026-11-23T03:00:00Z";
  const data = { v: 1, payload: {}, meta: { deadline } };
  expect(adoptionOf(start, delivered(data), renderInvoice).deadlineAt).toEqual(new Date(deadline));
});

test.each([undefined, null, 7, "text", [], { v: "1", payload: {} }])(
  "%j is kept as what it was, without a version",
  (data) => {
    expect(adoptionOf(start, delivered(data), renderInvoice)).toMatchObject({
      version: NO_VERSION,
      payload: { unreadable: data ?? null },
      slot: null,
    });
  },
);

const clean = (text: string) => text.split("\0").join("\ufffd");
const withoutNul = (value: unknown): unknown => {
  if (typeof value === "string") return clean(value);
  if (Array.isArray(value)) return value.map(withoutNul);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [clean(key), withoutNul(inner)]),
  );
};

// The envelope drops this one: it is no field of any payload.
const key = fc.string().filter((name) => name !== "__proto__");

test("whatever another team sent can be stored, and only U+0000 is changed", () => {
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue()), (payload) => {
      const kept = adoptionOf(start, delivered({ v: 1, payload }), undefined).payload;
      expect(kept).toEqual(withoutNul(JSON.parse(JSON.stringify(payload))));
    }),
  );
  const hostile = { v: 1, payload: { a: "x\u0000y", b: "\\u0000" } };
  expect(adoptionOf(start, delivered(hostile), undefined).payload).toEqual({
    a: "x\ufffdy",
    b: "\\u0000",
  });
});

const theirs = (engineJobId: string, addedAt = createdAt) => ({
  engineJobId,
  createdAt: addedAt,
  isOurs: false,
});

test.each(["12", "nightly-export", invoiceId, "shop@4006381333931", "a\nb"])(
  "another team's job %j is told apart by when it was added, and found again",
  (id) => {
    const journalled = journalId(theirs(id));
    expect(journalled).not.toBe(journalId(theirs(id, new Date(0))));
    expect(addedId(journalled)).toEqual({ id, createdMs: createdAt.getTime() });
  },
);

test("an id that is its request's stands for one wish, and one of ours is what we gave", () => {
  expect(journalId(theirs(invoiceId), invoiceId)).toBe(invoiceId);
  expect(journalId({ ...theirs(invoiceId), isOurs: true })).toBe(invoiceId);
  const again = journalId(theirs("nightly-export"));
  expect(journalId({ ...theirs(again, new Date()), isOurs: true })).toBe(again);
  expect(addedId(invoiceId)).toBeUndefined();
});

test.each([
  ["more than 500 characters", "x".repeat(501)],
  ["U+0000", "a\0b"],
  ["half a character", "a\ud800"],
])("an id with %s is refused with its reason, and what the job held is kept", (_title, id) => {
  const data = { v: 1, payload: { invoiceId, revision: 1, locale: "de-DE" } };
  const adoption = adoptionOf(
    { ...start, engineJobId: journalId(theirs(id)) },
    { ...delivered(data), engineJobId: id },
    renderInvoice,
  );
  expect(adoption).toMatchObject({
    version: NO_VERSION,
    payload: { refused: unfitId(id), held: data },
    slot: null,
  });
  expect(unfitId(adoption.engineJobId)).toBeUndefined();
});

test("an id of 500 characters is kept as it is", () => {
  const id = "x".repeat(500);
  expect(unfitId(id)).toBeUndefined();
  expect(addedId(journalId(theirs(id)))?.id).toBe(id);
});
