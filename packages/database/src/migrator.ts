import { createHash } from "node:crypto";
import { Kysely, PostgresDialect, sql } from "kysely";
import { Migrator } from "kysely/migration";
import pg from "pg";
import { DatabaseUnavailableError } from "./database.ts";
import { migrations } from "./migrations/index.ts";
import { KEEP_ALIVE } from "./silence.ts";

/** Names of all migrations of this release, in the order they are applied. */
export const migrationNames: readonly string[] = Object.keys(migrations).sort();

/** Changes whenever a migration is added or edited; 16 hex digits. */
export const schemaFingerprint: string = createHash("sha256")
  .update(migrationNames.map((name) => `${name} ${migrations[name]?.up}`).join("\n"))
  .digest("hex")
  .slice(0, 16);

const UNDEFINED_TABLE = "42P01";

/** What this release has and the database has not; a later release may have put more there. */
export async function missingMigrations<T>(db: Kysely<T>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration`
    .execute(db)
    .catch((error: { code?: unknown }) => {
      if (error.code === UNDEFINED_TABLE) return { rows: [] };
      throw error;
    });
  const applied = new Set(rows.map(({ name }) => name));
  return migrationNames.filter((name) => !applied.has(name));
}

/**
 * Bring the schema up to this release; one that a later release brought further stays as it is.
 *
 * Safe with any number of starters at once: one applies, the others wait for it and find nothing to do.
 * All pending migrations commit together or not at all.
 *
 * @returns the names applied by this call, in order; empty if there were none to apply
 * @throws {DatabaseUnavailableError} if PostgreSQL does not answer
 * @throws {MigrationError} naming the migration that failed
 */
export async function migrate(url: string): Promise<string[]> {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "ballast:migrate",
    max: 1,
    connectionTimeoutMillis: 5_000,
    ...KEEP_ALIVE,
  });
  pool.on("error", () => {}); // the query that meets it reports it
  pool.on("connect", (connected) => connected.on("error", () => {}));
  const client = await pool.connect().catch(async (cause: unknown) => {
    await pool.end();
    throw new DatabaseUnavailableError(url, cause);
  });
  client.release();

  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    // An app that is rolled back brings its older migrate along; to Kysely that schema would be corrupt.
    if ((await missingMigrations(db)).length === 0) return [];
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) {
      const failed = results.find(({ status }) => status === "Error")?.migrationName;
      throw new MigrationError(failed, error);
    }
    return results.map(({ migrationName }) => migrationName);
  } finally {
    await db.destroy();
  }
}

export class MigrationError extends Error {
  override readonly name = "MigrationError";

  constructor(migration: string | undefined, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`migration ${migration ?? "(none was reached)"} failed, nothing was changed: ${reason}`, {
      cause,
    });
  }
}
