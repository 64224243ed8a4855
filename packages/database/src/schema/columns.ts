import type { ColumnType } from "kysely";

/** `jsonb` of shape `T`: read parsed, written as a JSON string, since pg would turn arrays into SQL arrays. */
export type Json<T> = ColumnType<T, string, string>;
/** Set by the database at insert. */
export type Timestamp = ColumnType<Date, Date | undefined, Date>;
/** `date`, read as `YYYY-MM-DD`: a calendar day has no time zone to be shifted by. */
export type Day = string;
