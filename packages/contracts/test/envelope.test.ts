import { expect, test } from "vitest";
import {
  ContractError,
  Envelope,
  echo,
  renderInvoice,
  sendInvoice,
  toBullmq,
} from "../src/index.ts";

const invoiceId = "01936f5e-7a3c-7c1e-9d55-3f0a2b6c8d10";
const requestId = "01936f5e-7a3c-7c1e-9d55-000000000001";

test("a payload becomes what plain BullMQ takes, with the contract's attempts and backoff", () => {
  expect(
    toBullmq(renderInvoice, { invoiceId, revision: 1, locale: "de-DE" }, { requestId }),
  ).toEqual({
    name: "render-invoice",
    data: {
      v: 1,
      payload: { invoiceId, revision: 1, locale: "de-DE" },
      meta: { requestId, subject: `invoice:${invoiceId}` },
    },
    opts: { jobId: requestId, attempts: 5, backoff: { type: "exponential", delay: 2_000 } },
  });
});

test("what toBullmq makes is an envelope", () => {
  expect(Envelope.parse(toBullmq(echo, { id: "1" }).data)).toEqual({ v: 1, payload: { id: "1" } });
});

test("defaults are filled in and unknown fields fall away", () => {
  const payload = { invoiceId, revision: 1, locale: "en-GB", later: true } as const;
  expect(toBullmq(sendInvoice, payload).data.payload).toEqual({
    invoiceId,
    revision: 1,
    locale: "en-GB",
    ordinal: 1,
  });
});

test("a payload that breaks its contract is refused naming every bad field", () => {
  const bad = { invoiceId: "4711", revision: 0, locale: "xx-XX" } as never;
  expect(() => toBullmq(renderInvoice, bad)).toThrow(ContractError);
  try {
    toBullmq(renderInvoice, bad);
  } catch (error) {
    expect((error as ContractError).issues.map(({ path }) => path)).toEqual([
      "invoiceId",
      "revision",
      "locale",
    ]);
  }
});

test.each([
  ["nothing", undefined],
  ["a bare payload", { invoiceId }],
  ["version 0", { v: 0, payload: {} }],
  ["a fraction for a version", { v: 1.5, payload: {} }],
  ["a list for a payload", { v: 1, payload: [] }],
])("%s is no envelope", (_title, data) => {
  expect(Envelope.safeParse(data).success).toBe(false);
});
