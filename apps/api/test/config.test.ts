import { expect, test } from "vitest";
import { loadConfig } from "../src/config.ts";

const least = {
  DATABASE_URL: "postgres://ballast:secret@127.0.0.1:5432/ballast",
  QUEUE_URL: "redis://127.0.0.1:6379",
  STORAGE_URL: "file:///var/lib/ballast",
};

test("three variables are enough, and the rest has defaults", () => {
  expect(loadConfig(least)).toMatchObject({
    listen: { host: "127.0.0.1", port: 8_080 },
    limits: { requestsPerMinute: 1_200, bodyBytes: 1_048_576 },
  });
});

test("every bad variable is named at once, without its value", () => {
  const bad = {
    ...least,
    DATABASE_URL: "mysql://u:hunter22@h/d",
    API_PORT: "80800",
    QUEUE_URL: "",
  };
  expect(() => loadConfig(bad)).toThrow(/DATABASE_URL[\s\S]*QUEUE_URL[\s\S]*API_PORT/);
  expect(() => loadConfig(bad)).not.toThrow(/hunter22/);
});
