import fc from "fast-check";
import { expect, test } from "vitest";
import { mailBody } from "../src/mail-body.ts";

test("a mail body is base64 in lines of at most 76 characters, without a line end after the last", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (file) => {
      const body = mailBody(file).toString("latin1");
      const lines = body.split("\r\n");

      expect(Buffer.from(body, "base64").equals(file)).toBe(true);
      expect(lines.slice(0, -1).every((line) => line.length === 76)).toBe(true);
      expect(lines.at(-1)?.length ?? 0).toBeLessThanOrEqual(76);
      expect(body).not.toMatch(/\r\n$/);
    }),
  );
});
