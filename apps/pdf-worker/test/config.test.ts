import { ConfigError } from "@ballast/service";
import { expect, test } from "vitest";
import { defaultPrintMemoryMb, loadConfig } from "../src/config.ts";

const required = {
  DATABASE_URL: "postgres://user:password@localhost:5432/ballast",
  QUEUE_URL: "redis://localhost:6379",
  STORAGE_URL: "file:///var/lib/ballast",
  CHROMIUM_PATH: "/usr/bin/chromium-headless-shell",
};

test("the defaults suit a machine with a headless shell", () => {
  const { printer, concurrency } = loadConfig(required);

  expect(printer).toEqual({
    executablePath: required.CHROMIUM_PATH,
    pageSlots: concurrency,
    timeoutMs: 60_000,
    recycleAfterPages: 2_000,
    maxMemoryMb: 1_024,
    maxPrintMemoryMb: defaultPrintMemoryMb(process.constrainedMemory()),
    maxHtmlBytes: 16 * 2 ** 20,
    maxPdfBytes: 32 * 2 ** 20,
  });
  expect(concurrency).toBeGreaterThanOrEqual(1);
});

test.each([
  [0, 6_144],
  [2_048 * 2 ** 20, 1_638],
  [7_679 * 2 ** 20, 6_143],
  [7_680 * 2 ** 20, 6_144],
  [2 ** 63, 6_144],
])("in a container of %d bytes a print may make the browser hold %d MiB", (bytes, limitMb) => {
  expect(defaultPrintMemoryMb(bytes)).toBe(limitMb);
});

test("every bad variable is named at once", () => {
  const load = () =>
    loadConfig({ ...required, CHROMIUM_PATH: "", PDF_CONCURRENCY: "0", CHROMIUM_SANDBOX: "maybe" });

  expect(load).toThrow(ConfigError);
  expect(load).toThrow(/CHROMIUM_PATH[\s\S]*PDF_CONCURRENCY|PDF_CONCURRENCY[\s\S]*CHROMIUM_PATH/);
  expect(load).toThrow(/CHROMIUM_SANDBOX/);
});

test("S3 without its credentials is a setting that is missing, not a crash later", () => {
  const load = () => loadConfig({ ...required, STORAGE_URL: "s3://documents" });

  expect(load).toThrow(ConfigError);
  expect(load).toThrow(/S3_ACCESS_KEY_ID is missing/);
  expect(load).toThrow(/S3_SECRET_ACCESS_KEY is missing/);
});
