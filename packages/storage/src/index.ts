export { InvalidObjectKeyError, ObjectNotFoundError, StoreUnavailableError } from "./errors.ts";
export { type Gateway, gatedStore } from "./gated-store.ts";
export type { ByteRange, ObjectStore } from "./object-store.ts";
export { openObjectStore } from "./open-object-store.ts";
export type { S3Credentials } from "./s3-store.ts";
export { checkStorage, storageConfig, storageEnv } from "./storage-env.ts";
