import fc from "fast-check";
import { type AddressObject, simpleParser } from "mailparser";
import { expect, test } from "vitest";
import { mailAddress } from "../../src/mail/address.ts";
import { oneLine } from "../../src/mail/headers.ts";
import { type Message, mimeMessage } from "../../src/mail/message.ts";

const address = (text: string) => {
  const valid = mailAddress(text);
  if (valid === undefined) throw new Error(`${text} should be valid`);
  return valid;
};

const PDF = Buffer.from(
  "%PDF-1.7 not really, but some bytes that must arrive \u00ff\u0000 as they are",
);

const aMessage = (parts: Partial<Message> = {}): Message => ({
  from: { name: "Acme GmbH", address: address("billing@acme.example") },
  to: address("customer@example.org"),
  replyTo: { name: "Acme GmbH", address: address("office@acme.example") },
  subject: "Invoice R-000001",
  text: "Hello\n",
  html: "<p>Hello</p>\n",
  language: "en",
  date: new Date("2026-11-24T08:00:00Z"),
  messageId: "<0190-1@acme.example>",
  pdf: { fileName: "Invoice-R-000001.pdf", base64: Buffer.from(`${PDF.toString("base64")}\r\n`) },
  ...parts,
});

const write = (message: Message): Buffer => Buffer.concat(mimeMessage(message));

/** Strings that try to end a header, start another, or be read as an encoded word, mixed with anything. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 40 }),
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.constantFrom(
        "\r\n",
        "\n",
        "\r",
        "\r\nBcc: thief@example.net\r\n",
        "\r\n\r\n<b>body</b>",
        "=?UTF-8?B?QQ==?=",
        "=?",
        "?=",
        '"',
        "\\",
        ", other@example.net",
        "<other@example.net>",
        "\u0000",
        "\u2028",
        "\u202e",
        "\ud800",
        " ",
        "\t",
        "(comment)",
        ";",
        "'",
        "%0d%0a",
        "Ünïcödé 漢字 🧾 ",
        "a".repeat(80),
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

test("hostile subjects and names arrive as they were, without their control characters, and nothing else does", async () => {
  await fc.assert(
    fc.asyncProperty(hostile, hostile, hostile, async (subject, name, fileName) => {
      const raw = write(
        aMessage({
          subject,
          from: { name, address: address("billing@acme.example") },
          pdf: { fileName, base64: Buffer.from(`${PDF.toString("base64")}\r\n`) },
        }),
      );
      const mail = await simpleParser(raw);

      expect(mail.subject ?? "").toBe(oneLine(subject));
      expect(mail.from?.value).toEqual([{ name: oneLine(name), address: "billing@acme.example" }]);
      expect((mail.to as AddressObject).value).toEqual([
        { name: "", address: "customer@example.org" },
      ]);
      expect(mail.cc).toBeUndefined();
      expect(mail.bcc).toBeUndefined();
      expect(mail.headerLines.map(({ key }) => key).sort()).toEqual(HEADERS);
      expect(mail.attachments).toHaveLength(1);
      expect(mail.attachments[0]?.filename ?? "").toBe(asFileName(fileName));
      expect(mail.attachments[0]?.content.equals(PDF)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

const asFileName = (text: string) =>
  [...oneLine(text).replaceAll("=?", "=_")].slice(0, 80).join("");

const HEADERS = [
  "auto-submitted",
  "content-language",
  "content-type",
  "date",
  "from",
  "message-id",
  "mime-version",
  "reply-to",
  "subject",
  "to",
  "x-auto-response-suppress",
];

test("text and HTML arrive as they were written, whatever they hold", async () => {
  const line = fc.string({ unit: "binary", maxLength: 200 }).map((text) => text.toWellFormed());
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
      const text = ["start", ...lines, ".", "..", "--=_mixed_", "end"]
        .join("\n")
        .replace(/\r\n?/g, "\n");
      const mail = await simpleParser(write(aMessage({ text, html: text })), {
        skipHtmlToText: true,
        skipTextToHtml: true,
        skipTextLinks: true,
      });
      expect(mail.text?.replace(/\n$/, "")).toBe(text);
      expect(String(mail.html).replace(/\n$/, "")).toBe(text);
    }),
    { numRuns: 200 },
  );
});

test("a message is ASCII in lines that every server takes", async () => {
  await fc.assert(
    fc.property(hostile, hostile, (subject, text) => {
      const pdf = { fileName: subject, base64: aMessage().pdf?.base64 ?? Buffer.alloc(0) };
      const raw = write(aMessage({ subject, text, html: text, pdf })).toString("latin1");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII starts there
      expect(raw).toMatch(/^[\x09\x0a\x0d\x20-\x7e]*$/);
      const lines = raw.split("\r\n");
      expect(lines.every((line) => line.length <= 998 && !/[\r\n]/.test(line))).toBe(true);
    }),
  );
});

test("the same mail is written twice in the same bytes", () => {
  expect(write(aMessage()).equals(write(aMessage()))).toBe(true);
});

test.each(["no-brackets@example.org", "<a@b>\r\nBcc: x@example.net", "<a b@c>", "<>"])(
  "a malformed Message-ID is refused: %j",
  (messageId) => {
    expect(() => mimeMessage(aMessage({ messageId }))).toThrow(TypeError);
  },
);
