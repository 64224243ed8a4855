import { expect, test } from "vitest";
import { sampleOf } from "../../src/alerts/alert-message.ts";
import { anIncident } from "../channels/a-message.ts";

const INVOICE_ID = "01a20ad8-dabd-735e-8451-bc0803610819";

const sampled = (job: string, payload: Record<string, unknown>) => {
  const { latest } = anIncident();
  if (latest === null) throw new Error("no letter");
  return JSON.parse(sampleOf(anIncident({ job, latest: { ...latest, payload } })) ?? "null");
};

test("a payload that its contract takes is shown, and nothing beside it", () => {
  const payload = { invoiceId: INVOICE_ID, revision: 1, locale: "de-DE", ordinal: 2 };
  expect(sampled("send-invoice", { ...payload, customerName: "Max Muster" })).toEqual(payload);
});

test.each(["send-invoice", "of-another-team"])(
  "of a payload of %s that no contract takes, the shape is shown and no word of it",
  (job) => {
    const payload = {
      customer: { name: "Max Muster", iban: "DE02120300000000202051" },
      amounts: [12.5, 13],
      urgent: true,
      note: null,
      "erika@example.org": 1,
      accessToken: ["s3cr3t"],
      token: 123_456_789,
    };
    expect(sampled(job, payload)).toEqual({
      customer: { name: "string", iban: "string" },
      amounts: ["number"],
      urgent: "boolean",
      note: null,
      "[mail]": "number",
      accessToken: "string",
      token: "string",
    });
  },
);
