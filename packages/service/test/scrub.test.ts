import { expect, test } from "vitest";
import { scrubLine, scrubText } from "../src/scrub.ts";

const scrubbed = (value: unknown): unknown => JSON.parse(scrubLine(JSON.stringify(value)));

test.each([
  ["an address", "to anna.b+x@mail.example.com now", "to [mail] now"],
  ["an address in brackets", "Anna <anna@example.com>", "Anna <[mail]>"],
  ["an address after a line break", "refused\nanna@example.com", "refused\n[mail]"],
  ["an address after a control character", "\u0007anna@example.com", "\u0007[mail]"],
  ["an address after a backslash", "C:\\anna@example.com", "C:\\[mail]"],
  ["a quoted local part", 'to "anna b"@example.com', "to [mail]"],
  ["an address beyond ASCII", "an jürgen@müller.example", "an [mail]"],
  ["an address with an encoded domain", "a@xn--mller-kva.xn--p1ai", "[mail]"],
  ["an address of this machine", "root@localhost", "[mail]"],
  ["an address with an IP domain", "root@[127.0.0.1]", "[mail]"],
  ["an address within a URL", "GET /x?to=anna%40example.com", "GET /x?[mail]"],
  ["two addresses", "a@b.de,c@d.de", "[mail],[mail]"],
  ["credentials of a URL", "postgres://ann:p@ss@db:5432/erp", "postgres://[redacted]@db:5432/erp"],
  ["a secret of a URL", "/a?x=1&access_token=abc&y=2", "/a?x=1&access_token=[redacted]&y=2"],
  ["a bearer token", "Bearer eyJh.bGci-_=", "Bearer [redacted]"],
  ["basic credentials", "sent Basic YW5uOmJvYg==", "sent Basic [redacted]"],
  ["a package's path", "/x/node_modules/.pnpm/pino@10.4.0/y.js", undefined],
  ["a scope", "import @ballast/service", undefined],
  ["an at sign alone", "5 @ 3", undefined],
])("%s", (_, text, expected) => {
  expect(scrubText(text)).toBe(expected ?? text);
  expect(scrubbed({ deep: [{ text }] })).toEqual({ deep: [{ text: expected ?? text }] });
});

test.each([
  "password",
  "smtpPassword",
  "Authorization",
  "proxy-authorization",
  "x-api-key",
  "apiKey",
  "secretAccessKey",
  "client_secret",
  "lockToken",
  "set-cookie",
])("the value of %s is hidden whatever it is", (key) => {
  for (const value of ["plain", 'with " and \\ and }', 12, null, ["a", ["b"]], { a: { b: "]" } }]) {
    expect(scrubbed({ before: 1, inner: [{ [key]: value, after: 2 }] })).toEqual({
      before: 1,
      inner: [{ [key]: "[redacted]", after: 2 }],
    });
  }
});

test("a secret within JSON that was logged as a string is hidden", () => {
  const body = JSON.stringify({ user: "ann", password: 'p"w\\\n', note: "n" });

  expect(scrubbed({ body })).toEqual({
    body: '{"user":"ann","password":"[redacted]","note":"n"}',
  });
});

test("a line without secrets is left as it is", () => {
  const line = JSON.stringify({ jobId: "0192", msg: 'rendered "a\\b" 100%', sizeBytes: 7 });
  expect(scrubLine(line)).toBe(line);
});

test("a line stays valid JSON whatever surrounds an address or a secret", () => {
  const pieces = [
    "\\",
    '"',
    "\n",
    "\u0000",
    "\ud800",
    "{",
    "]",
    ":",
    "a@b.de",
    "token",
    "=",
    "://",
  ];
  for (const a of pieces)
    for (const b of pieces)
      for (const c of pieces) {
        const text = `${a}${b}${c}a@b.de`;
        const body = JSON.stringify({ password: text });
        const cut = body.slice(0, -3);
        expect(() => scrubbed({ [text]: text, password: text, x: [text, cut] })).not.toThrow();
        expect(scrubbed({ body })).toEqual({ body: '{"password":"[redacted]"}' });
        expect(JSON.stringify(scrubbed({ password: text }))).toBe('{"password":"[redacted]"}');
      }
});

test.each([
  ["an at sign before a long word", `@${"a".repeat(100_000)}`],
  ["a word that is a secret's, repeated", `"${"token".repeat(20_000)}`],
  ["a URL's parameter without end", `?${"token".repeat(20_000)}`],
  ["a domain without end", `a@${"a.".repeat(50_000)}`],
  ["many slashes", `${"://".repeat(30_000)}@`],
])("the time grows with the length and no faster: %s", (_, text) => {
  const startedMs = performance.now();
  scrubText(text);
  expect(performance.now() - startedMs).toBeLessThan(1_000); // quadratic would take several
});
