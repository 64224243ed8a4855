import { randomFillSync } from "node:crypto";

/**
 * Make a UUID version 7: ids made later sort later, to the millisecond, which keeps indexes dense.
 *
 * Made here rather than by the database, since `uuidv7()` came with PostgreSQL 18.
 *
 * @see RFC 9562, section 5.7
 */
export function uuidv7(now: number = Date.now()): string {
  const bytes = randomFillSync(Buffer.alloc(16));
  bytes.writeUIntBE(now, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
