import type { AddressInfo } from "node:net";
import express from "express";
import pg from "pg";

/** What `pg` opens unless told otherwise, and what our API has. */
const POOL = 10;

/**
 * The route of the API that takes a job by its name, without auth and validation: a business row and the job in
 * one transaction, then 202.
 *
 * @param enqueue adds the job inside the transaction
 */
export async function listenForWishes(
  databaseUrl: string,
  enqueue: (client: pg.PoolClient, payload: object) => Promise<unknown>,
): Promise<{ port: number }> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: POOL });
  await pool.query(
    "CREATE TABLE wishes (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), payload jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now())",
  );
  const app = express();
  app.use(express.json());
  app.post("/v1/jobs", async (req, res) => {
    const { payload } = req.body as { payload: object };
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await client.query("INSERT INTO wishes (payload) VALUES ($1)", [payload]);
      const id = await enqueue(client, payload);
      await client.query("COMMIT");
      res.status(202).json({ id });
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  });
  const server = app.listen(0, "127.0.0.1");
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve) => server.once("listening", resolve));
  return { port: (server.address() as AddressInfo).port };
}
