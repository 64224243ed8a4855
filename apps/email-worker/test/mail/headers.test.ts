import fc from "fast-check";
import { expect, test } from "vitest";
import { headerAddress, headerText, oneLine } from "../../src/mail/headers.ts";

test.each([
  ["a\r\nBcc: b@example.org", "a Bcc: b@example.org"],
  [" \tname\u0000\u001b[31m\u007f\u0085 ", "name [31m"],
  ["one\u2028two\u2029three", "one two three"],
  ["12\u202e34", "12 34"],
  ["\ud800broken", "\ufffdbroken"],
  ["👩‍👩‍👧 家族", "👩‍👩‍👧 家族"],
])("%j is one line: %j", (text, line) => {
  expect(oneLine(text)).toBe(line);
});

test("no text leaves a control character in a line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(oneLine(text)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
    }),
  );
});

test("what is plain stays readable", () => {
  expect(headerText("Invoice R-000123 from Acme")).toBe("Invoice R-000123 from Acme");
  expect(headerAddress({ name: 'Acme "Best" \\ Co', address: "a@example.org" })).toBe(
    '"Acme \\"Best\\" \\\\ Co"\r\n <a@example.org>',
  );
  expect(headerAddress({ name: " ", address: "a@example.org" })).toBe("<a@example.org>");
});

test("encoded words hold at most 75 characters and break between characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 30, maxLength: 200 }), (text) => {
      for (const word of headerText(`é${text}`).split("\r\n ")) {
        expect(word.length).toBeLessThanOrEqual(75);
        const bytes = Buffer.from(word.slice("=?UTF-8?B?".length, -"?=".length), "base64");
        expect(bytes.toString().includes("\ufffd") && !text.includes("\ufffd")).toBe(false);
      }
    }),
  );
});
