import type { AnyJob } from "@ballast/contracts";
import { type Asked, groupCommit, type Tx } from "@ballast/database";
import type { Dispatcher, Requests, SimpleWish } from "@ballast/jobs";

export interface JobWish extends SimpleWish {
  readonly job: AnyJob;
  /** As its contract has it. */
  readonly payload: unknown;
}

/**
 * Ask for one job. Resolves once it is committed, together with all wishes for jobs of that name which came while
 * the commit before was under way.
 */
export type JobWishes = (wish: JobWish) => Promise<Asked>;

interface Deps {
  readonly requests: Pick<Requests<Tx>, "commitAll">;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
}

export const groupJobWishes = ({ requests, dispatcher }: Deps): JobWishes =>
  groupCommit<JobWish, Asked>({
    keyOf: ({ job }) => job.name,
    async commit(group) {
      const [{ job }] = group as [JobWish];
      const wishes = group.map(({ job: _, ...wish }) => wish);
      const asked = await requests.commitAll(job, wishes as never);
      dispatcher.nudge();
      return asked;
    },
  });
