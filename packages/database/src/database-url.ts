import { readFileSync } from "node:fs";

type Found =
  | { readonly url: string; readonly problem?: never }
  | { readonly url?: never; readonly problem: string };

/** Where PostgreSQL is, for a program of its own: `DATABASE_URL`, or the file that `DATABASE_URL_FILE` names. */
export function databaseUrl(env: Readonly<Record<string, string | undefined>>): Found {
  const { DATABASE_URL: url, DATABASE_URL_FILE: file } = env;
  if (url && file) return { problem: "DATABASE_URL and DATABASE_URL_FILE are both set: keep one" };
  if (url) return { url };
  if (!file)
    return {
      problem:
        "DATABASE_URL is not set: give it postgres://user:password@host:port/database, or DATABASE_URL_FILE a file that holds it",
    };
  try {
    return { url: readFileSync(file, "utf8").trim() };
  } catch (error) {
    return { problem: `DATABASE_URL_FILE: ${(error as Error).message}` };
  }
}
