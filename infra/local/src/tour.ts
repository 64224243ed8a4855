import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ApiClient } from "./api-client.ts";
import { followJob } from "./follow-job.ts";
import type { Mailbox } from "./mailbox.ts";
import { longInvoice } from "./sample/invoices.ts";
import { say } from "./say.ts";
import { putIssued } from "./seed.ts";

export interface TourResult {
  readonly pdf: {
    readonly path: string;
    readonly pages: number;
    readonly bytes: number;
    /** From the request to the finished document. */
    readonly ms: number;
  };
  readonly mail: {
    readonly messageId: string;
    readonly to: string;
    /** File names. */
    readonly attachments: readonly string[];
  };
}

interface TourOptions {
  readonly api: ApiClient;
  readonly mailbox: Mailbox;
  readonly dataDir: string;
  readonly signal: AbortSignal;
}

const RenderResult = z.object({ pageCount: z.int().positive(), sizeBytes: z.int().positive() });
const SendResult = z.object({ messageId: z.string().min(1) });

/** Take one long invoice, new in each tour, from its issue over its PDF to somebody's inbox. */
export async function tour({ api, mailbox, dataDir, signal }: TourOptions): Promise<TourResult> {
  const invoice = longInvoice(randomUUID());
  const path = `/v1/invoices/${invoice.id}`;
  const ask = async (what: "pdf" | "send") => {
    const answer = await api.call("POST", `${path}/${what}`, {
      idempotencyKey: `tour-${what}-${invoice.id}`,
    });
    return followJob(api, z.string().parse(answer.headers["location"]), say, signal);
  };

  await putIssued(api, invoice);
  say(`issued an invoice of ${invoice.lines.length} lines: ${path}`);

  const began = performance.now();
  const rendered = RenderResult.parse(await ask("pdf"));
  const ms = Math.round(performance.now() - began);
  const document = await api.download(`${path}/document`);
  const file = save(join(dataDir, "tour"), `${invoice.id}.pdf`, document);
  const pages = pagesOf(document);
  if (document.byteLength !== rendered.sizeBytes || pages !== rendered.pageCount) {
    throw new Error(
      `${file} has ${pages} pages and ${document.byteLength} bytes; the job made ${rendered.pageCount} and ${rendered.sizeBytes}`,
    );
  }
  say(`PDF of ${pages} pages in ${ms} ms: ${file}`);

  const { messageId } = SendResult.parse(await ask("send"));
  const mail = await mailbox.waitFor(
    ({ parsed }) => parsed.messageId === messageId,
    AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
  );
  const attachment = mail.parsed.attachments.find(({ content }) => content.equals(document));
  if (!attachment) throw new Error(`the mail ${messageId} does not hold that PDF`);
  const to = mail.envelopeTo.join(", ");
  say(`mail to ${to} with ${attachment.filename}: "${mail.parsed.subject}"`);

  return {
    pdf: { path: file, pages, bytes: document.byteLength, ms },
    mail: {
      messageId,
      to,
      attachments: mail.parsed.attachments.map(({ filename }) => filename ?? "(unnamed)"),
    },
  };
}

/** Chromium writes its page objects plainly. */
const pagesOf = (pdf: Buffer): number =>
  pdf.toString("latin1").match(/\/Type\s*\/Page(?![a-zA-Z])/g)?.length ?? 0;

function save(dir: string, name: string, content: Buffer): string {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, name);
  writeFileSync(file, content);
  return file;
}
