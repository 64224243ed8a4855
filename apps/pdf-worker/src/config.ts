import { availableParallelism } from "node:os";
import {
  type Env,
  queueConfig,
  readEnv,
  serviceConfig,
  serviceEnv,
  storesEnv,
} from "@ballast/service";
import { checkStorage, storageConfig, storageEnv } from "@ballast/storage";
import { z } from "zod";

const MIB = 2 ** 20;

/** What the longest invoice the API takes needs. */
const PRINT_MEMORY_MB = 6_144;
/** The rest is for this process. */
const BROWSER_SHARE = 0.8;

/** What a print may make the browser hold, in MiB, under a limit of the container in bytes; 0 is none. */
export function defaultPrintMemoryMb(containerBytes: number): number {
  if (containerBytes <= 0) return PRINT_MEMORY_MB;
  return Math.min(PRINT_MEMORY_MB, Math.floor((containerBytes / MIB) * BROWSER_SHARE));
}

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

export const EnvSchema = z
  .object({
    ...serviceEnv,
    ...storageEnv,
    ...storesEnv,
    CHROMIUM_PATH: z
      .string()
      .describe("Chromium's headless shell, e.g. /usr/bin/chromium-headless-shell"),
    CHROMIUM_LIBRARY_PATH: z
      .string()
      .optional()
      .describe("folders of shared libraries for Chromium alone, joined by colons"),
    CHROMIUM_FONTCONFIG_FILE: z.string().optional().describe("fonts.conf for Chromium alone"),
    CHROMIUM_SANDBOX: z
      .enum(["on", "off"])
      .optional()
      .describe("Chromium's own sandbox; on, unless this process is root, where it cannot be"),
    PDF_CONCURRENCY: whole(1, 32)
      .default(() => Math.min(32, availableParallelism()))
      .describe("documents printed at a time; more than cores only adds memory"),
    PDF_PRINT_TIMEOUT_MS: whole(1_000, 110_000)
      .default(60_000)
      .describe("longest one document may be printed, in milliseconds"),
    PDF_RECYCLE_AFTER_PAGES: whole(1, 1_000_000)
      .default(2_000)
      .describe("pages after which the browser is replaced"),
    PDF_MAX_MEMORY_MB: whole(256, 65_536)
      .default(1_024)
      .describe("private memory of the browser, in MiB, above which it is replaced"),
    PDF_MAX_PRINT_MEMORY_MB: whole(256, 65_536)
      .default(() => defaultPrintMemoryMb(process.constrainedMemory()))
      .describe("private memory of the browser, in MiB, above which a long print is killed"),
    PDF_MAX_HTML_BYTES: whole(MIB, 256 * MIB)
      .default(16 * MIB)
      .describe("largest HTML that is printed, fonts included"),
    PDF_MAX_PDF_BYTES: whole(MIB, 256 * MIB)
      .default(32 * MIB)
      .describe("largest PDF that is stored"),
    PDF_DATABASE_CONNECTIONS: whole(2, 100)
      .default(5)
      .describe("connections to PostgreSQL this process opens at most"),
  })
  .superRefine(checkStorage);

/** Read this worker's settings, or throw one error that names every bad variable. */
export function loadConfig(env: Env) {
  const read = readEnv(EnvSchema, env);
  return {
    ...serviceConfig(read),
    database: { url: read.DATABASE_URL, poolMax: read.PDF_DATABASE_CONNECTIONS },
    queue: queueConfig(read),
    storage: { ...storageConfig(read) },
    concurrency: read.PDF_CONCURRENCY,
    printer: {
      executablePath: read.CHROMIUM_PATH,
      ...(read.CHROMIUM_LIBRARY_PATH && { libraryPath: read.CHROMIUM_LIBRARY_PATH }),
      ...(read.CHROMIUM_FONTCONFIG_FILE && { fontconfigFile: read.CHROMIUM_FONTCONFIG_FILE }),
      ...(read.CHROMIUM_SANDBOX && { sandbox: read.CHROMIUM_SANDBOX === "on" }),
      pageSlots: read.PDF_CONCURRENCY,
      timeoutMs: read.PDF_PRINT_TIMEOUT_MS,
      recycleAfterPages: read.PDF_RECYCLE_AFTER_PAGES,
      maxMemoryMb: read.PDF_MAX_MEMORY_MB,
      maxPrintMemoryMb: read.PDF_MAX_PRINT_MEMORY_MB,
      maxHtmlBytes: read.PDF_MAX_HTML_BYTES,
      maxPdfBytes: read.PDF_MAX_PDF_BYTES,
    },
  };
}
