import { setTimeout as pause } from "node:timers/promises";
import {
  type Database,
  type DatabaseLog,
  type DatabaseOptions,
  DatabaseUnavailableError,
  openDatabase,
} from "./database.ts";
import { missingMigrations } from "./migrator.ts";

const RETRY_MS = 1_000;
/** SQLSTATE of a login that is refused, or of a database that is not there: waiting mends neither. */
const REFUSED = new Set(["28000", "28P01", "3D000"]);

/**
 * Connect a service to PostgreSQL: wait until it answers, and begin only on a schema that has all this release needs.
 * A newer schema will do, since a release before it may still run.
 *
 * @throws {DatabaseRefusedError} if it does not let us in
 * @throws {OldSchemaError} if migrations of this release are missing
 * @throws the reason of `stopping`, if that aborts first
 */
export async function awaitDatabase(
  url: string,
  options: DatabaseOptions & { readonly log: DatabaseLog; readonly stopping: AbortSignal },
): Promise<Database> {
  const { log, stopping } = options;
  for (let failures = 0; ; failures++) {
    stopping.throwIfAborted();
    try {
      const database = await openDatabase(url, options);
      await assertSchema(database).catch(async (error: unknown) => {
        await database[Symbol.asyncDispose]();
        throw error;
      });
      return database;
    } catch (error) {
      if (error instanceof OldSchemaError) throw error;
      const { cause } = error as Error;
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
      if (error instanceof DatabaseUnavailableError && REFUSED.has(code))
        throw new DatabaseRefusedError(url, cause as Error);
      if (failures === 0) log.warn({ err: error }, "PostgreSQL does not answer; waiting for it");
      await pause(RETRY_MS, undefined, { signal: stopping }).catch(() => {});
    }
  }
}

async function assertSchema({ kysely }: Database): Promise<void> {
  const missing = await missingMigrations(kysely);
  if (missing.length > 0) throw new OldSchemaError(missing);
}

/** The database is behind this release. */
export class OldSchemaError extends Error {
  override readonly name = "OldSchemaError";
  /** By this the process knows to end like one whose settings are bad. */
  readonly badConfig = true;

  constructor(missing: readonly string[]) {
    super(
      `DATABASE_URL: the database's schema is older than this release, which also has ${missing.join(", ")}: ` +
        "run this release's migrate first",
    );
  }
}

/** PostgreSQL answers, and does not let us in. */
export class DatabaseRefusedError extends Error {
  override readonly name = "DatabaseRefusedError";
  readonly badConfig = true;

  constructor(url: string, cause: Error) {
    const { host } = new URL(url);
    super(
      `DATABASE_URL: PostgreSQL at ${host} refuses it (${cause.message}): are user, password and database right?`,
      { cause },
    );
  }
}
