import { type PayloadOf, renderInvoice } from "@ballast/contracts";
import type { Database, Tx } from "@ballast/database";
import { DependencyDownError, type Requests } from "@ballast/jobs";

/** A document that should be there and is not. */
export interface MissingDocument extends PayloadOf<typeof renderInvoice> {
  readonly companyId: string;
  readonly traceparent: string | null;
}

const SOON_MS = 5_000;
const LATER_MS = 30_000;
const FIRST_REPEAT_MS = 60_000;
const LAST_REPEAT_MS = 30 * 60_000;
/** More mails than wait at once in any one process; beyond it the memory starts over. */
const REMEMBERED = 10_000;

/**
 * Asks for documents that mails wait for.
 *
 * The same one again only after a minute, then two, up to half an hour: a mail looks for its document
 * every few seconds, and a rendering that is under way or keeps dying must not be asked for each time.
 */
export class RenderWishes {
  readonly #database: Database;
  readonly #requests: Requests<Tx>;
  readonly #asked = new Map<string, { repeatAtMs: number; repeatMs: number }>();

  constructor(database: Database, requests: Requests<Tx>) {
    this.#database = database;
    this.#requests = requests;
  }

  /** Ask for the document, unless that was done lately; the error says when to look again. */
  async ask(missing: MissingDocument, nowMs = Date.now()): Promise<DependencyDownError> {
    const { companyId, invoiceId, revision, locale, traceparent } = missing;
    const key = `${companyId}:${invoiceId}:r${revision}:${locale}`;
    const last = this.#asked.get(key);
    if (last === undefined || nowMs >= last.repeatAtMs) {
      await this.#database.transaction((tx) =>
        this.#requests.ask(
          tx,
          renderInvoice,
          { invoiceId, revision, locale },
          { companyId, requestedBy: "email-worker", traceparent },
        ),
      );
      const repeatMs = Math.min(LAST_REPEAT_MS, (last?.repeatMs ?? FIRST_REPEAT_MS / 2) * 2);
      if (this.#asked.size >= REMEMBERED) this.#asked.clear();
      this.#asked.set(key, { repeatAtMs: nowMs + repeatMs, repeatMs });
    }
    return new DependencyDownError(
      "document_not_rendered",
      `the PDF of invoice ${invoiceId}, revision ${revision}, ${locale}, is not there yet: asked to render it`,
      {
        retryAfterMs: last === undefined || last.repeatMs === FIRST_REPEAT_MS ? SOON_MS : LATER_MS,
      },
    );
  }

  /** The document is there: forget it. */
  met({ companyId, invoiceId, revision, locale }: Omit<MissingDocument, "traceparent">): void {
    this.#asked.delete(`${companyId}:${invoiceId}:r${revision}:${locale}`);
  }
}
