import type { AnyJob } from "@ballast/contracts";
import { type Asked, groupCommit, type Tx } from "@ballast/database";
import type { Requests, SimpleWish } from "@ballast/jobs";

export interface JobWish extends SimpleWish {
  readonly job: AnyJob;
  /** As its contract has it. */
  readonly payload: unknown;
}

/**
 * Ask for one job. Resolves once it is committed, together with all wishes for jobs of that name which came while
 * others were being committed.
 */
export type JobWishes = (wish: JobWish) => Promise<Asked>;

export const groupJobWishes = (requests: Pick<Requests<Tx>, "commitAll">): JobWishes =>
  groupCommit<JobWish, Asked>({
    keyOf: ({ job }) => job.name,
    underWay: 2,
    commit(group) {
      const [{ job }] = group as [JobWish];
      return requests.commitAll(job, group.map(({ job: _, ...wish }) => wish) as never);
    },
  });
