import { expect, test } from "vitest";
import { smtpSettings } from "../../src/smtp/settings.ts";

test("a URL names host, port and a percent-encoded login", () => {
  expect(smtpSettings("smtp://user%40acme:p%2Fa%3As%20s@mail.example.org:2525")).toMatchObject({
    host: "mail.example.org",
    port: 2525,
    implicitTls: false,
    login: { user: "user@acme", pass: "p/a:s s" },
    maxConnections: 5,
  });
});

test("the port follows from the scheme", () => {
  expect(smtpSettings("smtp://mail.example.org")).toMatchObject({ port: 587, implicitTls: false });
  expect(smtpSettings("smtps://mail.example.org")).toMatchObject({ port: 465, implicitTls: true });
  expect(smtpSettings("smtp://[::1]:25")).toMatchObject({ host: "::1", port: 25 });
});

test.each([
  ["smtp://mail.example.org", "required"],
  ["smtp://10.0.0.1", "required"],
  ["smtp://127.0.0.1.example.org", "required"],
  ["smtp://localhost", "off"],
  ["smtp://127.0.0.1:1025", "off"],
  ["smtp://[::1]:1025", "off"],
])("%s: TLS is %s unless told otherwise", (url, tls) => {
  expect(smtpSettings(url).tls).toBe(tls);
  expect(smtpSettings(url, { tls: "opportunistic" }).tls).toBe("opportunistic");
});

test.each(["", "mail.example.org", "http://secret@mail.example.org", "smtp://"])(
  "%j is refused without repeating it",
  (url) => {
    expect(() => smtpSettings(url)).toThrow("must look like smtp://");
    expect(() => smtpSettings(url)).not.toThrow("secret");
  },
);
