import { readFileSync } from "node:fs";

/** Where a Redis is, and how it is spoken to. */
export interface RedisAddress {
  readonly topology: "standalone" | "sentinel" | "cluster";
  /** The server, the sentinels, or some nodes of the cluster. */
  readonly nodes: ReadonlyArray<{ readonly host: string; readonly port: number }>;
  /** What the sentinels call the master. */
  readonly master?: string;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  readonly tls?: { readonly ca?: string };
}

export type QueueAddress =
  | { readonly kind: "postgres"; readonly url: string }
  | ({ readonly kind: "redis" } & RedisAddress);

/** QUEUE_URL cannot work; the message never holds a password. */
export class QueueUrlError extends RangeError {
  override readonly name = "QueueUrlError";
  /** By this the process knows to end like one whose settings are bad. */
  readonly badConfig = true;

  constructor(problem: string) {
    super(`QUEUE_URL ${problem}`);
  }
}

const SCHEMES =
  "use redis://, rediss://, redis+sentinel://, redis+cluster://, either with rediss for TLS, or postgres://";
const FORM =
  /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?]*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/;
const DEFAULT_PORT = { standalone: 6_379, sentinel: 26_379, cluster: 6_379 };
const PARAMETERS = new Set(["ca", "sentinelUsername", "sentinelPassword"]);

/**
 * Read a QUEUE_URL:
 *
 * - `redis://user:password@host:6379/0`, `rediss://…` with TLS; `?ca=/file.pem` where an authority of one's own signed
 * - `redis+sentinel://user:password@s1:26379,s2:26379/<master>/<db>`, `?sentinelPassword=…` where they ask for one
 * - `redis+cluster://user:password@n1:6379,n2:6379`
 * - `postgres://…`
 *
 * @throws {QueueUrlError} that says what is wrong, and what to write instead
 */
export function parseQueueUrl(url: string): QueueAddress {
  if (/^postgres(ql)?:\/\//.test(url)) return { kind: "postgres", url: readable(url) };
  const scheme = /^([a-z+]+):\/\//.exec(url)?.[1] ?? "none";
  if (!/^rediss?(\+(sentinel|cluster))?$/.test(scheme))
    throw new QueueUrlError(`has the scheme "${scheme}": ${SCHEMES}`);
  const rest = url.slice(scheme.length + "://".length);
  // A password with a sign of its own would be taken for something else, and be named in an error.
  const isTorn = /[/?@]/.test(rest.slice(0, Math.max(0, rest.lastIndexOf("@"))));
  const found = FORM.exec(url);
  if (isTorn || found === null)
    throw new QueueUrlError(
      `is no ${scheme}:// address: write ${scheme}://user:password@host:port, in a password %40 for @, %2F for / and %3F for ?`,
    );
  const [, protocol, kind, login = "", hosts = "", path = "", query = ""] = found;
  const topology = kind === undefined ? "standalone" : (kind as "sentinel" | "cluster");
  const { ca, ...sentinel } = parametersOf(query, topology);
  return {
    kind: "redis",
    topology,
    nodes: nodesOf(hosts, topology),
    ...placeOf(path, topology),
    ...loginOf(login),
    ...sentinel,
    ...(protocol === "rediss" ? { tls: ca === undefined ? {} : { ca: fileOf(ca) } } : {}),
  };
}

/** The driver itself would say so at each connection, like a server that is away. */
function readable(url: string): string {
  // `user@/database?host=/run/postgresql` is an address to the driver, and no URL.
  if (URL.canParse(url.replace("@/", "@host/"))) return url;
  throw new QueueUrlError(
    "is no postgres:// address: write postgres://user:password@host:port/database, in a password %40 for @, %2F for / and %3F for ?",
  );
}

function nodesOf(hosts: string, topology: RedisAddress["topology"]): RedisAddress["nodes"] {
  const nodes = hosts.split(",").map((node) => {
    const [, host = "", port] = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d+))?$/.exec(node) ?? [];
    if (host === "" || Number(port ?? 1) > 65_535)
      throw new QueueUrlError("names a host that is none: write host, host:port or [::1]:port");
    return {
      host: host.replace(/^\[|\]$/g, ""),
      port: Number(port ?? DEFAULT_PORT[topology]),
    };
  });
  if (topology === "standalone" && nodes.length > 1)
    throw new QueueUrlError(
      "names several hosts: one Redis has one; for more use redis+sentinel:// or redis+cluster://",
    );
  return nodes;
}

/** `/db`, or of sentinels `/master` or `/master/db`; a cluster has no numbered databases. */
function placeOf(path: string, topology: RedisAddress["topology"]) {
  const parts = path.split("/").filter((part) => part !== "");
  const master = topology === "sentinel" ? parts.shift() : undefined;
  if (topology === "sentinel" && master === undefined)
    throw new QueueUrlError(
      "does not say what its sentinels call the master: end it in /<name>, often /mymaster",
    );
  const [text = "0", ...more] = parts;
  if (!/^\d+$/.test(text) || more.length > 0 || (topology === "cluster" && text !== "0"))
    throw new QueueUrlError(
      topology === "cluster"
        ? "ends in a path: a cluster has database 0 alone"
        : "does not end in a database number, e.g. /0",
    );
  return { db: Number(text), ...(master === undefined ? {} : { master }) };
}

function loginOf(login: string): Pick<RedisAddress, "username" | "password"> {
  const [username = "", ...rest] = login.split(":");
  const password = rest.join(":");
  return {
    ...(username === "" ? {} : { username: decoded(username) }),
    ...(password === "" ? {} : { password: decoded(password) }),
  };
}

function parametersOf(query: string, topology: RedisAddress["topology"]): Record<string, string> {
  const parameters = Object.fromEntries(new URLSearchParams(query));
  for (const name of Object.keys(parameters))
    if (!PARAMETERS.has(name) || (name !== "ca" && topology !== "sentinel"))
      throw new QueueUrlError(
        "has a parameter that means nothing there: there are ca, and for sentinels sentinelUsername and sentinelPassword",
      );
  return parameters;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new QueueUrlError("has a % in its user or password that is no escape: write it as %25");
  }
}

function fileOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new QueueUrlError(
      `has ca=${path}, which cannot be read (${code}): let this process read it`,
    );
  }
}
