import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { gunzipBounded } from "../../src/http/gunzip.ts";

const bounds = { status: 200, maxBytes: 100_000 };

test("what fits is unpacked", async () => {
  const packed = gzipSync("stock");
  expect((await gunzipBounded(packed, bounds)).toString()).toBe("stock");
});

test("a bomb does not go off: 100 MB in 100 kB are too large", async () => {
  const bomb = gzipSync(Buffer.alloc(100_000_000));
  await expect(gunzipBounded(bomb, bounds)).rejects.toMatchObject({ code: "answer_too_large" });
});

test("what is no gzip is told as such", async () => {
  await expect(gunzipBounded(Buffer.from("plain"), bounds)).rejects.toMatchObject({
    code: "answer_not_json",
  });
});
