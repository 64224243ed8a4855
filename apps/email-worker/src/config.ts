import { email } from "@ballast/contracts";
import {
  type Env,
  queueConfig,
  readEnv,
  type ServiceConfig,
  serviceConfig,
  serviceEnv,
  storesEnv,
} from "@ballast/service";
import { checkStorage, type S3Credentials, storageConfig, storageEnv } from "@ballast/storage";
import { z } from "zod";
import { type SmtpSettings, smtpSettings } from "./smtp/settings.ts";

const MIB = 1_048_576;

export const EnvSchema = z
  .object({
    ...serviceEnv,
    ...storageEnv,
    ...storesEnv,
    SMTP_URL: z
      .string()
      .superRefine((url, context) => {
        try {
          smtpSettings(url);
        } catch (error) {
          context.addIssue({ code: "custom", message: (error as Error).message });
        }
      })
      .describe("the mail server: smtp://user:password@host:587 or smtps://…, percent-encoded"),
    SMTP_TLS: z
      .enum(["required", "opportunistic", "off"])
      .optional()
      .describe("how much TLS smtp:// needs; required unless the server is on this machine"),
    SMTP_CONNECTIONS: z.coerce
      .number()
      .int()
      .min(1)
      .max(100)
      .default(5)
      .describe("connections this process keeps to the mail server at most"),
    EMAIL_CONCURRENCY: z.coerce
      .number()
      .int()
      .min(1)
      .max(100)
      .default(email.concurrency)
      .describe("mails this process works on at a time"),
    EMAIL_MAX_ATTACHMENT_BYTES: z.coerce
      .number()
      .int()
      .min(1)
      .max(100 * MIB)
      .default(15 * MIB)
      .describe("largest PDF that is mailed; most servers take no mail above 25 MB"),
    EMAIL_DATABASE_CONNECTIONS: z.coerce
      .number()
      .int()
      .min(2)
      .max(100)
      .default(5)
      .describe("connections to PostgreSQL this process opens at most"),
  })
  .superRefine(checkStorage);

export interface EmailWorkerConfig extends ServiceConfig {
  readonly database: { readonly url: string; readonly poolMax: number };
  readonly queue: { readonly url: string; readonly prefix: string };
  readonly storage: { readonly url: string; readonly credentials: S3Credentials | undefined };
  readonly smtp: SmtpSettings;
  readonly concurrency: number;
  readonly maxAttachmentBytes: number;
}

/** Read this worker's settings, or throw one error that names every bad variable. */
export function loadConfig(env: Env): EmailWorkerConfig {
  const read = readEnv(EnvSchema, env);
  return {
    ...serviceConfig(read),
    database: { url: read.DATABASE_URL, poolMax: read.EMAIL_DATABASE_CONNECTIONS },
    queue: queueConfig(read),
    storage: storageConfig(read),
    smtp: smtpSettings(read.SMTP_URL, {
      tls: read.SMTP_TLS,
      maxConnections: read.SMTP_CONNECTIONS,
    }),
    concurrency: read.EMAIL_CONCURRENCY,
    maxAttachmentBytes: read.EMAIL_MAX_ATTACHMENT_BYTES,
  };
}
