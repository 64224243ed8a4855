import {
  alreadyDone,
  type CompanyScope,
  type Queryable,
  type ReplayFilter,
  replayableLetters,
} from "@ballast/database";
import { Problem } from "../http/problem.ts";
import { planReplay } from "../triage/plan-replay.ts";

const SAMPLE = 5;

/** What a bulk replay would do if it were asked for now. */
export async function forecast(
  db: Queryable,
  scope: CompanyScope,
  filter: ReplayFilter,
  ratePerSecond: number,
) {
  const found = { letters: 0, replayable: 0, notReplayable: 0, alreadyDone: 0 };
  const notReplayableSample: { letterId: string; message: string }[] = [];
  const alreadyDoneSample: { letterId: string; message: string }[] = [];
  for await (const page of replayableLetters(db, scope, filter)) {
    const done = await alreadyDone(
      db,
      page.map(({ runId }) => runId),
    );
    for (const letter of page) {
      const letterId = letter.runId;
      found.letters += 1;
      if (done.has(letterId)) {
        found.alreadyDone += 1;
        if (alreadyDoneSample.length < SAMPLE)
          alreadyDoneSample.push({ letterId, message: `${letter.job} is done already` });
        continue;
      }
      try {
        planReplay(letter);
        found.replayable += 1;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        found.notReplayable += 1;
        if (notReplayableSample.length < SAMPLE)
          notReplayableSample.push({ letterId, message: error.message });
      }
    }
  }
  return {
    ...found,
    notReplayableSample,
    alreadyDoneSample,
    secondsAtLeast: Math.ceil(found.replayable / ratePerSecond),
  };
}
