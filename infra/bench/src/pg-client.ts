import pg from "pg";

/** One connection to PostgreSQL, which may go away while a bench that hung is ended. */
export async function openClient(connectionString: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}
