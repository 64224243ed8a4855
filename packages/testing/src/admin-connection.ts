import { randomBytes } from "node:crypto";
import pg from "pg";
import { testPostgresUrl } from "./servers.ts";

/** Run statements that no database of its own can run: making and dropping databases. */
export async function asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: testPostgresUrl(),
    application_name: "ballast:testing",
  });
  client.on("error", () => {}); // the statement that meets it reports it
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The URL of another database on the same server. */
export function urlOfDatabase(name: string): string {
  const url = new URL(testPostgresUrl());
  url.pathname = `/${name}`;
  return url.href;
}

export const freshName = (kind: string): string =>
  `ballast_${kind}_${process.pid}_${randomBytes(6).toString("hex")}`;

export const createDatabase = (client: pg.Client, name: string, template = "template1") =>
  client.query(
    `CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE ${pg.escapeIdentifier(template)}`,
  );

/** Also where a client is still connected: a test that failed may have left one. */
export const dropDatabase = (client: pg.Client, name: string) =>
  client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
