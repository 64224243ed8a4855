import { type AnyJob, Envelope } from "@ballast/contracts";
import type { Delivery } from "./engine/engine.ts";
import { unfitId } from "./identity.ts";
import { slotKey } from "./requests.ts";
import type { Adoption, Start } from "./store.ts";

/** Life of a job whose contract this worker does not know. */
const UNKNOWN_GIVE_UP_MS = 24 * 3_600_000;
/** The version written for a job that named none. */
export const NO_VERSION = 0;
/** Payloads hold ids and small facts; what is longer than this is no payload. */
const MAX_PAYLOAD_LENGTH = 1_000_000;
const MAX_NAME_LENGTH = 200;

/** The request that another team says its job is for; `undefined` if it says none, or not as an envelope does. */
export const requestIdOf = (data: unknown): string | undefined =>
  Envelope.safeParse(data).data?.meta?.requestId;

/**
 * What to write down of a job that another team put into the engine. A job without a readable
 * envelope, or with an id that cannot be kept, is written down too, as version {@link NO_VERSION} with
 * whatever it held, so that somebody can see it.
 */
export function adoptionOf(
  start: Start,
  delivery: Delivery,
  contract: AnyJob | undefined,
): Adoption {
  const { v, payload, meta } = readable(delivery);
  const companyId = meta?.companyId ?? null;
  const checked = contract?.version === v ? contract.payload.safeParse(payload) : undefined;
  const deadlines = [
    delivery.createdAt.getTime() + (contract?.giveUpAfterMs ?? UNKNOWN_GIVE_UP_MS),
    ...(meta?.deadline === undefined ? [] : [Date.parse(meta.deadline)]),
  ];
  return {
    ...start,
    job: delivery.name.slice(0, MAX_NAME_LENGTH),
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

/** Never done but dead at once, where it could not be found in the engine again: a wait would make it two jobs. */
function readable({ engineJobId, data }: Delivery): Envelope {
  const refused = unfitId(engineJobId);
  if (refused !== undefined)
    return { v: NO_VERSION, payload: { refused, held: data ?? null }, meta: undefined };
  const envelope = Envelope.safeParse(data);
  return envelope.success
    ? envelope.data
    : { v: NO_VERSION, payload: { unreadable: data ?? null }, meta: undefined };
}

/** The same for a job whose data nothing can keep: that it came, and why it is refused. */
export const refusedAdoption = (start: Start, delivery: Delivery, why: unknown): Adoption => ({
  ...start,
  job: delivery.name.slice(0, MAX_NAME_LENGTH),
  version: NO_VERSION,
  payload: { refused: `its data cannot be kept: ${why instanceof Error ? why.message : why}` },
  companyId: null,
  subject: null,
  slot: null,
  deadlineAt: new Date(delivery.createdAt.getTime() + UNKNOWN_GIVE_UP_MS),
  requestId: null,
  requestedBy: null,
  traceparent: null,
  createdAt: delivery.createdAt,
});

/** Why a run's data was not kept; `undefined` where it was. */
export const refusal = (payload: Readonly<Record<string, unknown>>): string | undefined =>
  typeof payload["refused"] === "string" ? payload["refused"] : undefined;

/** PostgreSQL's jsonb cannot hold U+0000; what another team sent must be kept all the same. */
function storable(payload: Record<string, unknown>): Record<string, unknown> {
  const json = JSON.stringify(payload);
  if (json.length > MAX_PAYLOAD_LENGTH)
    throw new RangeError(
      `${json.length} characters of JSON, and at most ${MAX_PAYLOAD_LENGTH} are taken: send ids, not objects`,
    );
  return JSON.parse(json.replaceAll(/(?<!\\)((?:\\\\)*)\\u0000/g, "$1\\ufffd"));
}
