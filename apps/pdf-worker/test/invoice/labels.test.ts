import { renderInvoice } from "@ballast/contracts";
import { expect, test } from "vitest";
import { LANGUAGES, labelsFor } from "../../src/invoice/labels.ts";

test("every locale an invoice may be asked for in is spoken", () => {
  for (const locale of renderInvoice.payload.shape.locale.options)
    expect(LANGUAGES, locale).toContain(new Intl.Locale(locale).language);
});

test("another language is refused rather than guessed", () => {
  expect(() => labelsFor("nl-NL")).toThrow(/nl-NL.*de, en, es, fr/);
});

test.each(LANGUAGES)("%s keeps the places of its numbers", (language) => {
  const { pageOf, taxOn } = labelsFor(language);

  expect(pageOf).toMatch(/\{page\}.*\{pages\}/);
  expect(taxOn).toMatch(/\{rate\}.*\{net\}/);
});
