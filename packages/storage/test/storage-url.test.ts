import { expect, test } from "vitest";
import { z } from "zod";
import { openObjectStore, storageConfig, storageEnv } from "../src/index.ts";
import { parseStorageUrl } from "../src/storage-url.ts";

test("a file URL is a folder", () => {
  expect(parseStorageUrl("file:///var/lib/my%20documents")).toEqual({
    kind: "file",
    folder: "/var/lib/my documents",
  });
});

test("an S3 URL is a bucket, a prefix and a server", () => {
  expect(parseStorageUrl("s3://docs/a/b/?endpoint=http://127.0.0.1:9000&region=eu")).toEqual({
    kind: "s3",
    bucket: "docs",
    prefix: "a/b/",
    endpoint: "http://127.0.0.1:9000",
    region: "eu",
  });
});

test("without endpoint it is Amazon's, in the region named", () => {
  expect(parseStorageUrl("s3://docs?region=eu-west-1")).toMatchObject({
    prefix: "",
    endpoint: "https://s3.eu-west-1.amazonaws.com",
  });
});

test.each([
  "",
  "documents",
  "/var/lib/documents",
  "https://host/hunter22",
  "file://host/folder",
  "s3://",
  "s3://UPPER_case",
  "s3://docs/a//hunter22 b",
  "s3://key:hunter22@docs",
  "s3://docs?endpoint=hunter22",
  "s3://docs?endpoint=http://u:hunter22@host",
  "s3://docs?endpoint=http://host/path",
  "s3://docs?endpoint=file:///x",
  "s3://docs?secret=hunter22",
])("%s is refused, with the form it should have", (url) => {
  const parsed = z.object(storageEnv).safeParse({ STORAGE_URL: url });
  expect(parsed.error?.issues).toHaveLength(1);
  expect(parsed.error?.issues[0]?.path).toEqual(["STORAGE_URL"]);
  expect(parsed.error?.message).not.toContain("hunter22");
});

test("credentials are those of both variables, or none", () => {
  const config = (more: object) =>
    storageConfig(z.object(storageEnv).parse({ STORAGE_URL: "s3://docs", ...more })).credentials;

  expect(config({ S3_ACCESS_KEY_ID: "id", S3_SECRET_ACCESS_KEY: "s" })).toEqual({
    accessKeyId: "id",
    secretAccessKey: "s",
  });
  expect(config({ S3_ACCESS_KEY_ID: "id" })).toBeUndefined();
});

test("S3 without credentials is refused, naming the variables", async () => {
  await expect(openObjectStore("s3://docs")).rejects.toThrow(/set S3_ACCESS_KEY_ID and S3_SECRET/);
});
