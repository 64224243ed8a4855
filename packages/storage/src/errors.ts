/** No object has this key. */
export class ObjectNotFoundError extends Error {
  readonly key: string;

  constructor(key: string) {
    super(`no object ${key}`);
    this.name = "ObjectNotFoundError";
    this.key = key;
  }
}

/** This key can name no object in this store, now or later. */
export class InvalidObjectKeyError extends Error {
  readonly key: string;

  constructor(key: string, reason: string) {
    super(`invalid object key ${JSON.stringify(key.slice(0, 200))}: ${reason}`);
    this.name = "InvalidObjectKeyError";
    this.key = key;
  }
}

/** A folder that its owner or kind keeps from being used: waiting does not mend that. */
export class UnusableFolderError extends Error {
  /** By this the process knows to end like one whose settings are bad. */
  readonly badConfig = true;

  constructor(folder: string, code: string, cause: unknown) {
    super(
      `STORAGE_URL: the document folder ${folder} cannot be used (${code}): let this process's user write there`,
      { cause },
    );
    this.name = "UnusableFolderError";
  }
}

/** The store does not answer, has no room, or refuses our credentials: nobody's fault who asked. */
export class StoreUnavailableError extends Error {
  /** What the system or the server calls it: `ECONNREFUSED`, `ENOSPC`, `SlowDown`, `timeout`. */
  readonly code: string;
  /** Whoever runs jobs knows by this that the job is not to blame. */
  readonly dependencyDown = true;
  /** It answers and does not let us in: a person has to mend that. */
  readonly accessDenied: boolean;

  constructor(
    code: string,
    message: string,
    {
      accessDenied = false,
      ...options
    }: { readonly cause?: unknown; readonly accessDenied?: boolean } = {},
  ) {
    super(message, options);
    this.name = "StoreUnavailableError";
    this.code = code;
    this.accessDenied = accessDenied;
  }
}
