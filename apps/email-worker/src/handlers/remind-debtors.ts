import { paymentReminder, remindDebtors } from "@ballast/contracts";
import {
  type Database,
  type ForgottenReminder,
  forgottenReminders,
  type Tx,
} from "@ballast/database";
import { type Handler, handle, PermanentError, type Requests } from "@ballast/jobs";

/** Asked for in one transaction. */
const BATCH = 200;

/** Ask for the reminders of the next days that nobody asked for, or that were lost. */
export const remindDebtorsHandler = ({
  database,
  requests,
}: {
  readonly database: Database;
  readonly requests: Requests<Tx>;
}): Handler =>
  handle(remindDebtors, async ({ payload: { days }, companyId, signal, log, progress }) => {
    if (companyId !== null)
      throw new PermanentError(
        "for_all_companies",
        `${remindDebtors.name} looks after all companies, and this one was asked for by ${companyId} alone: discard it`,
      );
    const job = { queue: paymentReminder.queue.name, job: paymentReminder.name };
    let asked = 0;
    for await (const found of forgottenReminders(database.kysely, { ...job, days, batch: BATCH })) {
      signal.throwIfAborted();
      await database.transaction(async (tx) => {
        for (const one of found) await ask(tx, requests, one);
      });
      asked += found.length;
      progress({ asked });
    }
    if (asked > 0) log.info({ asked }, "reminders asked for that nobody had");
    return { asked };
  });

async function ask(
  tx: Tx,
  requests: Requests<Tx>,
  { invoiceId, companyId, dueDate, step, at }: ForgottenReminder,
): Promise<void> {
  await requests.ask(
    tx,
    paymentReminder,
    { invoiceId, dueDate, step },
    { companyId, requestedBy: remindDebtors.name, dueAt: at },
  );
}
