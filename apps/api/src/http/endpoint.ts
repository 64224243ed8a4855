import type { Readable } from "node:stream";
import type { Tx } from "@ballast/database";
import type { z } from "zod";
import type { Caller, Scope } from "./caller.ts";
import type { ProblemCode } from "./problem.ts";

/** What a handler answers; the mount writes it, and an idempotent POST stores it first. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Instead of a body: bytes that are sent as they come. */
  readonly stream?: Readable;
  /** Runs once what the handler wrote is committed; must not throw. A crash before it costs latency alone. */
  readonly committed?: () => void;
}

/** One checked request. */
export interface Call<P, Q, B> {
  readonly caller: Caller;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  header(name: string): string | undefined;
  /** W3C Trace Context of the caller, if valid. */
  readonly traceparent: string | null;
  /** Aborts when the caller hung up or this process is told to stop. */
  readonly signal: AbortSignal;
  /** Whether the key still opens this. An answer that lasts asks before it tells more. */
  stillAllowed(): Promise<boolean>;
}

export interface WriteCall<P, Q, B> extends Call<P, Q, B> {
  /** Commits once the handler returned; a throw takes everything back. */
  readonly tx: Tx;
}

/** What an answer looks like, for the OpenAPI document. */
export interface AnswerDoc {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** `application/json` unless named. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Spec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> {
  /** In OpenAPI's form, e.g. `/v1/invoices/{invoiceId}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly description?: string;
  readonly params: P;
  readonly query: Q;
  readonly body?: B;
  /** A body that is accepted; shown in the docs, and what a test sends. */
  readonly example?: z.input<B>;
  /** A request without a body is read as `{}`. */
  readonly bodyOptional?: boolean;
  /** Makes new work: refused while there is too much already. A function where the body decides. */
  readonly asksForWork?: boolean | ((body: z.output<B>) => boolean);
  /** Largest body, in bytes; the API's own limit if absent. */
  readonly bodyLimitBytes?: number;
  readonly answers: Readonly<Record<number, AnswerDoc>>;
  /** Refusals of its own, beside those every endpoint has. */
  readonly problems: readonly ProblemCode[];
}

export interface ReadSpec<P extends z.ZodObject, Q extends z.ZodObject>
  extends Spec<P, Q, z.ZodNever> {
  readonly method: "get";
  handle(call: Call<z.output<P>, z.output<Q>, undefined>): Promise<Answer>;
}

export interface WriteSpec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>
  extends Spec<P, Q, B> {
  readonly method: "put" | "post" | "delete";
  readonly commitsItself?: false;
  handle(call: WriteCall<z.output<P>, z.output<Q>, z.output<B>>): Promise<Answer>;
  /** Does the same where no `Idempotency-Key` came, in a transaction that it shares with other calls. */
  together?(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<Answer>;
}

export interface GroupedSpec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>
  extends Spec<P, Q, B> {
  readonly method: "put";
  readonly commitsItself: true;
  handle(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<Answer>;
}

/** An endpoint whose types were checked where it was declared. */
export type Endpoint =
  | (Omit<ReadSpec<z.ZodObject, z.ZodObject>, "handle" | "asksForWork"> & {
      readonly asksForWork?: boolean | ((body: never) => boolean);
      handle(call: Call<never, never, undefined>): Promise<Answer>;
    })
  | (Omit<GroupedSpec<z.ZodObject, z.ZodObject, z.ZodType>, "handle" | "asksForWork"> & {
      readonly asksForWork?: boolean | ((body: never) => boolean);
      handle(call: Call<never, never, never>): Promise<Answer>;
    })
  | (Omit<WriteSpec<z.ZodObject, z.ZodObject, z.ZodType>, "handle" | "together" | "asksForWork"> & {
      readonly asksForWork?: boolean | ((body: never) => boolean);
      handle(call: WriteCall<never, never, never>): Promise<Answer>;
      together?(call: Call<never, never, never>): Promise<Answer>;
    });

/** Declare an endpoint that changes nothing. */
export const read = <P extends z.ZodObject, Q extends z.ZodObject>(
  spec: ReadSpec<P, Q>,
): Endpoint => spec;

/** Declare an endpoint that runs in one transaction; POST ones obey `Idempotency-Key`. */
export const write = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  spec: WriteSpec<P, Q, B>,
): Endpoint => spec;

/** Declare an endpoint of which many calls share one transaction; a PUT, so that a repeat is harmless. */
export const grouped = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  spec: GroupedSpec<P, Q, B>,
): Endpoint => spec;
