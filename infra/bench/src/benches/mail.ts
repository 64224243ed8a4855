import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openDatabase } from "@ballast/database";
import { openObjectStore } from "@ballast/storage";
import type { Bench, BenchContext } from "../bench.ts";
import { interleave } from "../interleave.ts";
import { issuedInvoices } from "../issued-invoices.ts";
import { openClient } from "../pg-client.ts";

const PDF_BYTES = 100_000;
const OBJECT_KEY = "invoice.pdf";
const CONNECTIONS = 5;
/** Mails under way: more than connections, so that no connection waits for what comes before a mail. */
const WIDTH = 10;

/** What a mail costs that is sent at most once, and whose PDF was encoded when it was printed. */
export const mail: Bench = {
  name: "mail",
  about:
    "first sends with the ledger against Nodemailer's pool, a PDF of 100 kB attached, 5 connections",
  async run(context) {
    const count = context.sized(200, 2_000);
    const rounds = context.sized(3, 5);
    const sink = await context.subject("smtp-sink");
    const { port } = await sink.ask("listen");
    const { databaseUrl, storageUrl, invoiceIds } = await renderedInvoices(
      context,
      count * (rounds + 1),
    );
    const ours = await context.subject("our-mail");
    const theirs = await context.subject("nodemailer-pool");
    await ours.ask("open", { databaseUrl, storageUrl, port, connections: CONNECTIONS });
    await theirs.ask("open", { port, connections: CONNECTIONS });
    const pdfPath = join(context.folder, OBJECT_KEY);
    const seen = await interleave(
      {
        // A second mail for one invoice would be none.
        ours: () => ours.ask("send", { invoiceIds: invoiceIds.splice(-count), width: WIDTH }),
        nodemailer: () => theirs.ask("send", { pdfPath, count, width: WIDTH }),
      },
      { rounds, signal: context.signal },
    );
    context.table("mails", seen, ["ours", "nodemailer"]);
    context.compare(seen, {
      ours: "ours",
      theirs: "nodemailer",
      against: "Nodemailer's pool, which keeps no ledger",
      figure: "perSecond",
      unit: "mails/s",
      goal: { atLeast: 1.15 },
    });
  },
};

/** Issued invoices whose documents share what mails carry of them. */
async function renderedInvoices(context: BenchContext, count: number) {
  const databaseUrl = await context.servers.database();
  const options = { applicationName: "bench", poolMax: 2, connectTimeoutMs: 60_000 };
  const db = context.use(await openDatabase(databaseUrl, options));
  const { ids: invoiceIds } = await issuedInvoices({ db, databaseUrl }, count);
  const storageUrl = pathToFileURL(context.folder).href;
  const documents = context.use(await openObjectStore(storageUrl));
  const pdf = randomBytes(PDF_BYTES);
  const base64 = pdf.toString("base64").replaceAll(/.{76}(?=.)/g, "$&\r\n");
  const mailBodyKey = `${OBJECT_KEY}.b64`;
  await documents.put(OBJECT_KEY, pdf, { contentType: "application/pdf" });
  await documents.put(mailBodyKey, Buffer.from(base64), { contentType: "text/plain" });
  const sha256 = createHash("sha256").update(pdf).digest("hex");
  await using client = await openClient(databaseUrl);
  await client.query(
    `INSERT INTO documents
       (id, company_id, invoice_id, revision, locale, object_key, mail_body_key, sha256, page_count, size_bytes)
     SELECT gen_random_uuid(), company_id, id, revision, 'de-DE', id || '.pdf', $1, $2, 1, $3 FROM invoices`,
    [mailBodyKey, sha256, PDF_BYTES],
  );
  return { databaseUrl, storageUrl, invoiceIds };
}
