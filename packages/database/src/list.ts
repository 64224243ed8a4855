import { type RawBuilder, sql } from "kysely";

/**
 * Values for `unnest`, of whose number PostgreSQL makes nothing.
 *
 * Where it sees how many there are it finds a plan for these few cheaper than one for any, keeps none, and plans
 * anew each time, which takes it longer than what is then done.
 */
export const list = (
  type: "uuid" | "int" | "text",
  values: readonly unknown[],
): RawBuilder<unknown> => sql`(SELECT ${values}::${sql.raw(type)}[])`;
