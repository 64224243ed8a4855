import type { Queryable, Tx } from "../database.ts";
import { storableJson } from "../storable.ts";
import { dayPlus, hourOn } from "./reminder-time.ts";

export type ReminderStep = "before" | "after";

/** Words of a company's own, with `{number}`, `{amount}`, `{dueDate}`, `{customer}` and `{company}` in them. */
export interface ReminderTemplate {
  readonly subject: string;
  readonly text: string;
}

/** When a company reminds those who owe it, and in which words. */
export interface ReminderSettings {
  /** Days before and after the due date; `null`: no such reminder. */
  readonly beforeDays: number | null;
  readonly afterDays: number | null;
  /** Hour of the company's day, 0 to 23. */
  readonly atHour: number;
  /** Ours, in the customer's language, where there is none. */
  readonly templates: { readonly [Step in ReminderStep]?: ReminderTemplate };
}

/** A company that has set nothing reminds nobody. */
export const NO_REMINDERS: ReminderSettings = {
  beforeDays: null,
  afterDays: null,
  atHour: 9,
  templates: {},
};

export async function findReminderSettings(
  db: Queryable,
  companyId: string,
): Promise<ReminderSettings> {
  const row = await settingsOf(db, companyId).executeTakeFirst();
  return row ?? NO_REMINDERS;
}

/** The same, and nobody changes them before `tx` ends: what is asked for by them is there for whoever moves it. */
export async function holdReminderSettings(tx: Tx, companyId: string): Promise<ReminderSettings> {
  const row = await settingsOf(tx, companyId).forShare().executeTakeFirst();
  return row ?? NO_REMINDERS;
}

/** Set them; repeatable. */
export async function putReminderSettings(
  db: Queryable,
  companyId: string,
  settings: ReminderSettings,
): Promise<void> {
  const values = { ...settings, templates: storableJson(settings.templates) };
  await db
    .insertInto("reminderSettings")
    .values({ companyId, ...values })
    .onConflict((conflict) =>
      conflict.column("companyId").doUpdateSet({ ...values, updatedAt: new Date() }),
    )
    .execute();
}

const settingsOf = (db: Queryable, companyId: string) =>
  db
    .selectFrom("reminderSettings")
    .select(["beforeDays", "afterDays", "atHour", "templates"])
    .where("companyId", "=", companyId);

/** When an invoice is reminded of, step by step. */
export function reminderTimes(
  { beforeDays, afterDays, atHour }: ReminderSettings,
  dueDate: string,
  timeZone: string,
): { step: ReminderStep; at: Date }[] {
  const days = { before: beforeDays === null ? null : -beforeDays, after: afterDays };
  return (["before", "after"] as const).flatMap((step) => {
    const moved = days[step];
    if (moved === null) return [];
    return [{ step, at: hourOn(dayPlus(dueDate, moved), atHour, timeZone) }];
  });
}

/** Whether there is nothing left to remind of in advance: the due date is over, today being the company's day. */
export const isTooLate = (step: ReminderStep, dueDate: string, today: string): boolean =>
  step === "before" && dueDate < today;

/** What its mail is in the ledger: one for each due date and step. */
export const reminderPurpose = (step: ReminderStep, dueDate: string) =>
  `reminder-${step}:${dueDate}` as const;
