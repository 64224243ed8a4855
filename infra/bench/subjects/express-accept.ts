/** The common way to take a request for work: Express, and `queue.add`; with the same promise as ours, a committed row before it. */
import type { AddressInfo } from "node:net";
import { Queue } from "bullmq";
import express from "express";
import pg from "pg";
import { costOf, serveSubject } from "../src/subject-program.ts";

/** What `pg` opens unless told otherwise, and what our API has. */
const POOL = 10;
let cpu = process.cpuUsage();

serveSubject({
  listen: async ({ redisUrl, databaseUrl }: { redisUrl: string; databaseUrl?: string }) => {
    const queue = new Queue("naive", { connection: { url: redisUrl } });
    const pool =
      databaseUrl === undefined
        ? undefined
        : new pg.Pool({ connectionString: databaseUrl, max: POOL });
    await pool?.query(
      "CREATE TABLE wishes (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), invoice_id uuid NOT NULL, created_at timestamptz NOT NULL DEFAULT now())",
    );
    const app = express();
    app.use(express.json());
    app.post("/v1/invoices/:invoiceId/pdf", async (req, res) => {
      const { invoiceId } = req.params;
      const row = await pool?.query("INSERT INTO wishes (invoice_id) VALUES ($1) RETURNING id", [
        invoiceId,
      ]);
      const job = await queue.add("render-invoice", { invoiceId });
      res.status(202).json({ requestId: row?.rows[0].id ?? job.id });
    });
    const server = app.listen(0, "127.0.0.1");
    server.keepAliveTimeout = 60_000;
    await new Promise((resolve) => server.once("listening", resolve));
    return { port: (server.address() as AddressInfo).port };
  },
  begin: async () => {
    cpu = process.cpuUsage();
    return {};
  },
  cost: async ({ count }: { count: number }) => costOf(count, process.cpuUsage(cpu)),
});
