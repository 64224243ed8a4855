import { z } from "zod";
import type { S3Credentials } from "./s3-store.ts";
import { parseStorageUrl } from "./storage-url.ts";

/** Variables of a process that keeps documents; spread them into an app's schema. */
export const storageEnv = {
  STORAGE_URL: z
    .string()
    .superRefine((url, context) => {
      try {
        parseStorageUrl(url);
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message });
      }
    })
    .describe("where documents are: file:///absolute/folder or s3://bucket/prefix?endpoint=…"),
  S3_ACCESS_KEY_ID: z.string().describe("for an s3: STORAGE_URL").optional(),
  S3_SECRET_ACCESS_KEY: z.string().describe("for an s3: STORAGE_URL").optional(),
};

/** What no single variable shows: S3 needs both credentials. For `superRefine` of the app's schema. */
export function checkStorage(
  env: z.output<z.ZodObject<typeof storageEnv>>,
  context: z.RefinementCtx,
): void {
  if (!/^s3:/i.test(env.STORAGE_URL)) return; // it may be wrong, which its own field then says
  for (const name of ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"] as const)
    if (env[name] === undefined)
      context.addIssue({
        code: "custom",
        path: [name],
        message: "is needed by an s3: STORAGE_URL",
      });
}

interface StorageConfig {
  readonly url: string;
  readonly credentials: S3Credentials | undefined;
}

/** Turn the parsed {@link storageEnv} into what `openObjectStore` takes. */
export function storageConfig(env: z.output<z.ZodObject<typeof storageEnv>>): StorageConfig {
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = env;
  return {
    url: env.STORAGE_URL,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
  };
}
