import fc from "fast-check";
import { expect, test } from "vitest";
import { isPrivate } from "../../src/http/addresses.ts";

test.each([
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.8.8.8",
  "169.254.169.254",
  "172.31.255.255",
  "192.168.1.1",
  "224.0.0.1",
  "::",
  "::1",
  "fe80::1",
  "fd00::1",
  "::ffff:10.0.0.1",
  "64:ff9b::a00:1",
  "64:ff9b:1::7f00:1",
  "::127.0.0.1",
  "::ffff:0:127.0.0.1",
  "2002:7f00:1::",
  "2001:0:7f00:1::",
  "2001:db8::1",
  "3fff::1",
  "fec0::1",
  "100::1",
  "no address",
])("%s is not public", (address) => expect(isPrivate(address)).toBe(true));

test.each([
  "1.1.1.1",
  "172.32.0.1",
  "192.169.0.1",
  "2606:4700::1111",
  "2001:4860:4860::8888",
  "2003::1",
  "3ffe::1",
  "::ffff:1.1.1.1",
])("%s is public", (address) => expect(isPrivate(address)).toBe(false));

test("an IPv4 address is judged alike when it hides in an IPv6 one", () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      expect(isPrivate(`::ffff:${address}`)).toBe(isPrivate(address));
    }),
  );
});
