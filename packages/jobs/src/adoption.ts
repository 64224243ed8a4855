import { type AnyJob, Envelope } from "@ballast/contracts";
import type { Delivery } from "./engine/engine.ts";
import { journalId } from "./identity.ts";
import { slotKey } from "./requests.ts";
import type { Adoption, Start } from "./store.ts";

/** Life of a job whose contract this worker does not know. */
const UNKNOWN_GIVE_UP_MS = 24 * 3_600_000;
/** The version written for a job that named none. */
export const NO_VERSION = 0;

/**
 * What to write down of a job that another team put into the engine. A job without a readable
 * envelope is written down too, as version {@link NO_VERSION} with whatever it held, so that
 * somebody can see it.
 */
export function adoptionOf(
  start: Start,
  delivery: Delivery,
  contract: AnyJob | undefined,
): Adoption {
  const envelope = Envelope.safeParse(delivery.data);
  const { v, payload, meta } = envelope.success
    ? envelope.data
    : { v: NO_VERSION, payload: { unreadable: delivery.data ?? null }, meta: undefined };
  const companyId = meta?.companyId ?? null;
  const checked = contract?.version === v ? contract.payload.safeParse(payload) : undefined;
  const deadlines = [
    delivery.createdAt.getTime() + (contract?.giveUpAfterMs ?? UNKNOWN_GIVE_UP_MS),
    ...(meta?.deadline === undefined ? [] : [Date.parse(meta.deadline)]),
  ];
  return {
    ...start,
    engineJobId: journalId(delivery.engineJobId, delivery.createdAt),
    job: delivery.name,
    version: v,
    payload: storable(payload),
    companyId,
    subject:
      meta?.subject ?? (checked?.success ? (contract?.subject?.(checked.data) ?? null) : null),
    slot:
      contract !== undefined && checked?.success
        ? slotKey(contract, companyId, checked.data)
        : null,
    deadlineAt: new Date(Math.min(...deadlines)),
    requestId: meta?.requestId ?? null,
    requestedBy: meta?.requestedBy ?? null,
    traceparent: meta?.traceparent ?? null,
    createdAt: delivery.createdAt,
  };
}

/** PostgreSQL's jsonb cannot hold U+0000; what another team sent must be kept all the same. */
const storable = (payload: Record<string, unknown>): Record<string, unknown> =>
  JSON.parse(JSON.stringify(payload).replaceAll(/(?<!\\)((?:\\\\)*)\\u0000/g, "$1\\ufffd"));
