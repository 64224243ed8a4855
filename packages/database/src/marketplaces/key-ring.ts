import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** Keys that secrets are sealed with: the first seals, all of them open. */
export interface KeyRing {
  readonly current: string;
  readonly keys: ReadonlyMap<string, Buffer>;
}

/** A secret as it is stored: nonce, ciphertext and tag in one, and the key that opens them. */
export interface Sealed {
  readonly sealed: Buffer;
  readonly keyId: string;
}

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
/** What GCM is made for; a random nonce of this length is safe for 2^32 secrets with one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY = /^([a-z0-9][a-z0-9-]{0,31}):([A-Za-z0-9+/]{43}=?)$/;

/** The ring lacks a key, or what it opened was not sealed for this. Says no value and no key. */
export class UnsealError extends Error {
  override readonly name = "UnsealError";
}

/**
 * Read `id:key,id:key…`, each key 32 bytes in base64, e.g. `2026-11:q83v…=`.
 *
 * To rotate: put a new one behind, so that every process opens what it seals; then in front; wait until what was
 * sealed with the old one is sealed anew; remove that.
 *
 * @throws {RangeError} naming which is wrong, by its place
 */
export function parseKeyRing(text: string): KeyRing {
  const keys = new Map<string, Buffer>();
  for (const [index, part] of text.split(",").entries()) {
    const [, id, encoded] = KEY.exec(part.trim()) ?? [];
    const key = Buffer.from(encoded ?? "", "base64");
    if (id === undefined || key.length !== KEY_BYTES)
      throw new RangeError(
        `key ${index + 1} is not of the form id:key, with 32 bytes in base64: make one with \`openssl rand -base64 32\``,
      );
    if (keys.has(id)) throw new RangeError(`two keys are named ${id}`);
    keys.set(id, key);
  }
  const [current = ""] = keys.keys();
  return { current, keys };
}

/** Seal a text with the current key. `owner` is whom it is for: it opens for nobody else. */
export function seal(ring: KeyRing, owner: string, plain: string): Sealed {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, keyOf(ring, ring.current), nonce);
  cipher.setAAD(Buffer.from(owner));
  const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  return { sealed: Buffer.concat([nonce, body, cipher.getAuthTag()]), keyId: ring.current };
}

/** @throws {UnsealError} if the key is not in the ring, or it was sealed for another owner or altered */
export function unseal(ring: KeyRing, owner: string, { sealed, keyId }: Sealed): string {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const body = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
  const decipher = createDecipheriv(CIPHER, keyOf(ring, keyId), nonce);
  decipher.setAAD(Buffer.from(owner));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
  } catch {
    throw new UnsealError(`what was sealed for ${owner} with key ${keyId} does not open with it`);
  }
}

function keyOf(ring: KeyRing, id: string): Buffer {
  const key = ring.keys.get(id);
  if (key === undefined)
    throw new UnsealError(`the key ring has no key ${id}: give it back to this process`);
  return key;
}
