import { isIP } from "node:net";
import { Cluster, Redis } from "ioredis";
import type { RedisAddress } from "./queue-url.ts";

/** Commands are the same for one server and for many. */
export type RedisClient = Redis | Cluster;

/** Reconnect soon and for ever; the jitter keeps a fleet from returning in one instant. */
const reconnect = (capMs: number) => (times: number) =>
  Math.min(capMs, 100 * 2 ** Math.min(times, 8)) * (0.5 + Math.random() / 2);

/**
 * A managed Redis that failed over may keep connections to the old master, which is a replica now and says so, through
 * scripts as well. Its name leads to the new one. LOADING needs no such thing: who connects waits for that.
 */
const isReplica = ({ message }: Error): boolean => /\b(READONLY|MASTERDOWN) /.test(message);

/** A new connection, and the caller is told. */
const TOLD = 1;
/** A new connection, and the command is sent again over it: until the name leads elsewhere, a few times a second. */
const SENT_AGAIN = 2;

/**
 * Callers that answer HTTP must fail at once while Redis is away, and work as soon as it is back.
 * All of this is needed together: without a part of it a call hangs, or fails for ever.
 */
const FAIL_FAST = {
  connectTimeout: 3_000,
  enableOfflineQueue: false,
  commandTimeout: 1_500,
  socketTimeout: 3_000,
  maxRetriesPerRequest: 1,
  retryStrategy: reconnect(1_000),
  reconnectOnError: (error: Error) => isReplica(error) && TOLD,
};

/**
 * Workers wait for Redis; a command timeout would break the blocking pop that they idle on. That takes 10 s at most,
 * and an answer that is due for longer will not come.
 */
const PATIENT = {
  connectTimeout: 3_000,
  socketTimeout: 15_000,
  maxRetriesPerRequest: null,
  retryStrategy: reconnect(2_000),
};

/** For callers; connects at the first call of `connect`. */
export function openClient(
  address: RedisAddress,
  silenceMs = FAIL_FAST.socketTimeout,
): RedisClient {
  const manners = { ...FAIL_FAST, socketTimeout: silenceMs };
  const client =
    address.topology === "cluster"
      ? openCluster(address, manners)
      : new Redis({ ...optionsOf(address), ...manners, lazyConnect: true });
  client.on("error", () => {}); // each failed call says so itself
  return client;
}

/**
 * What a worker of BullMQ connects by. Of a cluster it takes a client alone, and leaves it open: `dispose` closes
 * that, once the worker has closed.
 *
 * @param tell hears that a server has become a replica, of which the worker itself hears nothing
 */
export function workerConnection(
  address: RedisAddress,
  tell: (error: Error) => void,
  silenceMs = PATIENT.socketTimeout,
) {
  const reconnectOnError = (error: Error) => {
    if (!isReplica(error)) return false;
    tell(error);
    return SENT_AGAIN;
  };
  const manners = { ...PATIENT, reconnectOnError, socketTimeout: silenceMs };
  if (address.topology !== "cluster")
    return { connection: { ...optionsOf(address), ...manners }, dispose() {} };
  const cluster = openCluster(address, manners);
  cluster.on("error", () => {}); // the worker reports what it meets
  return { connection: cluster, dispose: () => cluster.disconnect() };
}

/** Each server that holds keys of its own. */
export const mastersOf = (client: RedisClient): readonly Redis[] =>
  client instanceof Cluster ? client.nodes("master") : [client];

function openCluster(
  { nodes, ...address }: RedisAddress,
  { retryStrategy, ...rest }: typeof FAIL_FAST | typeof PATIENT,
): Cluster {
  const { enableOfflineQueue, ...perNode } = { enableOfflineQueue: true, ...rest };
  return new Cluster([...nodes], {
    lazyConnect: true,
    enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    redisOptions: { ...loginOf(address), ...perNode },
  });
}

function optionsOf(address: RedisAddress) {
  const { nodes, master = "", db, sentinelUsername, sentinelPassword, tls } = address;
  const login = { ...loginOf(address), db };
  if (address.topology === "sentinel")
    return {
      ...login,
      sentinels: [...nodes],
      name: master,
      sentinelCommandTimeout: 1_500,
      ...(sentinelUsername && { sentinelUsername }),
      ...(sentinelPassword && { sentinelPassword }),
      ...(tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    };
  const [node = { host: "127.0.0.1", port: 6_379 }] = nodes;
  // Which certificate a server shows may depend on the name it is asked by; an address is none.
  const name = isIP(node.host) === 0 ? { servername: node.host } : {};
  return { ...login, ...node, ...(tls && { tls: { ...tls, ...name } }) };
}

const loginOf = ({ username, password, tls }: Omit<RedisAddress, "nodes">) => ({
  ...(username && { username }),
  ...(password && { password }),
  ...(tls && { tls }),
});
