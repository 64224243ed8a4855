import { randomUUID } from "node:crypto";

/**
 * Make a UUID version 7: ids made later sort later, to the millisecond, which keeps indexes dense.
 *
 * Made here rather than by the database, since `uuidv7()` came with PostgreSQL 18.
 *
 * @see RFC 9562, section 5.7
 */
export function uuidv7(now: number = Date.now()): string {
  const time = now.toString(16).padStart(12, "0");
  // All but the time and the version is random in version 4 too, of which Node keeps a store.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
