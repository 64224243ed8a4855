import { ConfigError } from "@ballast/service";
import { expect, test } from "vitest";
import { loadConfig } from "../src/config.ts";

const LEAST = {
  DATABASE_URL: "postgres://user:password@localhost/ballast",
  QUEUE_URL: "redis://localhost:6379",
  STORAGE_URL: "file:///var/lib/ballast",
  SMTP_URL: "smtp://user:password@mail.example.org",
};

test("with the least that is needed, TLS is required and limits have their defaults", () => {
  expect(loadConfig(LEAST)).toMatchObject({
    smtp: { tls: "required", maxConnections: 5, port: 587 },
    concurrency: 5,
    maxAttachmentBytes: 15_728_640,
    ops: { host: "127.0.0.1", port: 0 },
  });
});

test("an empty variable counts as unset", () => {
  expect(loadConfig({ ...LEAST, SMTP_TLS: "", SMTP_CONNECTIONS: "" }).smtp).toMatchObject({
    tls: "required",
    maxConnections: 5,
  });
});

test.each([
  ["SMTP_URL", "mail.example.org:25"],
  ["SMTP_TLS", "yes"],
  ["SMTP_CONNECTIONS", "0"],
  ["EMAIL_CONCURRENCY", "many"],
  ["EMAIL_MAX_ATTACHMENT_BYTES", "-1"],
  ["STORAGE_URL", "documents"],
  ["QUEUE_URL", "mysql://localhost"],
])("%s=%s is named as wrong", (name, value) => {
  expect(() => loadConfig({ ...LEAST, [name]: value })).toThrow(ConfigError);
  expect(() => loadConfig({ ...LEAST, [name]: value })).toThrow(`${name} is wrong`);
});

test("S3 without its credentials is a setting that is missing, not a crash later", () => {
  const load = () => loadConfig({ ...LEAST, STORAGE_URL: "s3://documents" });

  expect(load).toThrow(ConfigError);
  expect(load).toThrow(/S3_ACCESS_KEY_ID is missing/);
  expect(load).toThrow(/S3_SECRET_ACCESS_KEY is missing/);
});
