import { isDeepStrictEqual } from "node:util";
import { type AnyJob, findContract, jobContracts } from "@ballast/contracts";
import type { Letter } from "@ballast/database";
import { z } from "zod";
import { parseOrRefuse, refusal } from "../http/field-errors.ts";
import { Problem } from "../http/problem.ts";

/** What an operator changed about the work before asking for it again. */
export interface Edit {
  readonly payload?: Readonly<Record<string, unknown>> | undefined;
  /** The contract that the payload is of; the letter's own job if absent. */
  readonly job?: string | undefined;
}

/** What would be asked for, checked. */
export interface PlannedReplay {
  readonly contract: AnyJob;
  readonly version: number;
  readonly payload: Readonly<Record<string, unknown>>;
  /** It differs from what died. */
  readonly isChanged: boolean;
}

/** How a job without a readable envelope is written down. */
const NO_VERSION = 0;

/**
 * Decide what a replay of this letter asks for: the payload that died, or the edited one. Either must be
 * what the job's contract takes, or it would only die again.
 *
 * @throws {Problem} `not-replayable` or `invalid-body`, naming each bad field of `payload`
 */
export function planReplay(letter: Letter, edit: Edit = {}): PlannedReplay {
  const contract = contractOf(letter, edit);
  if (edit.payload !== undefined) {
    const payload = checked(contract, edit.payload);
    const isChanged =
      letter.version !== contract.version ||
      letter.job !== contract.name ||
      !isDeepStrictEqual(edit.payload, letter.payload);
    return { contract, version: contract.version, payload, isChanged };
  }
  const { version, payload } = letter;
  if (version === NO_VERSION)
    throw notAsItIs(letter, "it came without an envelope, so what it asked for is not known");
  if (version > contract.version)
    throw notAsItIs(
      letter,
      `it is v${version}, and this release knows ${contract.name} up to v${contract.version}: update it first`,
    );
  if (version < contract.oldestVersion)
    throw notAsItIs(
      letter,
      `v${version} of ${contract.name} is retired; the oldest kept is v${contract.oldestVersion}`,
    );
  checked(contract, payload);
  return { contract, version, payload, isChanged: false };
}

function contractOf(letter: Letter, { job = letter.job, payload }: Edit): AnyJob {
  // Another job of the queue may do what the caller's key is no key for.
  if (job !== letter.job && findContract(letter.queue, letter.job) !== undefined)
    throw refusal("invalid-body", [
      {
        path: "job",
        message: `must be ${letter.job} or absent: the letter's own job has a contract`,
      },
    ]);
  const contract = findContract(letter.queue, job);
  if (contract !== undefined && (job === letter.job || payload !== undefined)) return contract;
  if (contract !== undefined)
    throw refusal("invalid-body", [
      { path: "payload", message: `is missing: another job, ${job}, needs one of its own` },
    ]);
  const known = jobContracts.filter(({ queue }) => queue.name === letter.queue);
  const names = known.map(({ name }) => name).join(", ") || "none";
  if (job !== letter.job)
    throw refusal("invalid-body", [
      { path: "job", message: `must be a job of queue ${letter.queue}: ${names}` },
    ]);
  throw notAsItIs(
    letter,
    `this release has no contract of a job ${JSON.stringify(job)} in queue ${letter.queue} (it has: ${names})`,
    "send `job` with the one it should be",
  );
}

const checked = (contract: AnyJob, payload: unknown): Readonly<Record<string, unknown>> =>
  parseOrRefuse(z.object({ payload: contract.payload }), { payload }, "invalid-body")
    .payload as Record<string, unknown>;

const notAsItIs = (letter: Letter, why: string, also?: string) =>
  new Problem(
    "not-replayable",
    `letter ${letter.runId} cannot be replayed as it is, since ${why}. Send an edited \`payload\`${also === undefined ? "" : `, and ${also}`}; or discard it`,
  );
