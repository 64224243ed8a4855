import type { QueueDefinition } from "@ballast/contracts";
import { adoptionOf, refusedAdoption, requestIdOf } from "./adoption.ts";
import type { Delivery } from "./engine/engine.ts";
import type { Handler } from "./handler.ts";
import { isUuid, journalId, uuidv7 } from "./identity.ts";
import type { Adoption, Start, Started } from "./store.ts";
import { isUnstorable } from "./unstorable.ts";

export interface BeginTools {
  readonly queue: QueueDefinition;
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly start: (start: Start) => Promise<Started>;
  readonly adopt: (adoption: Adoption) => Promise<Started>;
  readonly worker: string;
}

/** Its data is read for nobody else: that takes longer than all else that is done here for a job. */
const mayBeRequests = ({ isOurs, engineJobId }: Delivery) => !isOurs && isUuid(engineJobId);

/** Write down that a delivery starts, adopting it if another team sent it. @throws if PostgreSQL is away */
export async function begin(
  delivery: Delivery,
  { queue, handlers, start, adopt, worker }: BeginTools,
  alone = false,
): Promise<{ start: Start; started: Started }> {
  const beginning: Start = {
    attemptId: uuidv7(),
    queue: queue.name,
    engineJobId: journalId(
      delivery,
      mayBeRequests(delivery) ? requestIdOf(delivery.data) : undefined,
    ),
    worker,
    stalled: delivery.stallCount > 0,
    stalls: delivery.stallCount,
    first: delivery.isFirst,
    alone,
  };
  const started = await start(beginning);
  if (started.kind !== "unknown") return { start: beginning, started };
  const contract = handlers.get(delivery.name)?.contract;
  try {
    return { start: beginning, started: await adopt(adoptionOf(beginning, delivery, contract)) };
  } catch (error) {
    if (!isUnstorable(error)) throw error;
    // Put off, it would come back for ever and nobody would see it.
    const refused = refusedAdoption(beginning, delivery, error);
    return { start: beginning, started: await adopt(refused) };
  }
}
