import fc from "fast-check";
import { expect, test } from "vitest";
import { mailAddress } from "../../src/mail/address.ts";

test.each([
  ["customer@example.org", "customer@example.org"],
  ["first.last+invoices@mail.example.org", "first.last+invoices@mail.example.org"],
  ["post@müller.example", "post@xn--mller-kva.example"],
])("%s is taken", (text, address) => {
  expect(mailAddress(text)).toBe(address);
});

test.each([
  "",
  "nobody",
  "@example.org",
  "a@example.org,b@example.org",
  "a@example.org, b@example.org",
  "a@example.org;b@example.org",
  "a@example.org b@example.org",
  "<a@example.org>",
  "A <a@example.org>",
  '"a b"@example.org',
  "a@example.org\r\nRCPT TO:<b@example.org>",
  "a\u0000@example.org",
  "a@example.org\u200b",
  "a@[127.0.0.1]",
  "a@localhost",
  "a@b@example.org",
  `${"a".repeat(250)}@example.org`,
])("%j is refused", (text) => {
  expect(mailAddress(text)).toBeUndefined();
});

test("whatever is taken is one plain ASCII address", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 10 }),
    fc.constantFrom("@", ",", "<", ">", " ", "\r\n", "a", "example.org", "ü.example", ".", ";"),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const address = mailAddress(pieces.join(""));
      if (address !== undefined) expect(address).toMatch(/^[\x21-\x7e]+@[a-z0-9.-]+$/i);
      if (address !== undefined) expect(address).not.toMatch(/[\s,;:<>()[\]\\"]/);
    }),
    { numRuns: 2_000 },
  );
});
