import { join } from "node:path";
import { Redis } from "ioredis";
import { type RedisProcess, startRedisProcess } from "./redis-process.ts";
import { until } from "./until.ts";

/** Redis in one of the shapes in which people run it. */
export interface RedisTopology extends AsyncDisposable {
  /** What QUEUE_URL would be. */
  readonly url: string;
  readonly servers: readonly RedisProcess[];
}

const PASSWORD = "p@ss:word/100%";
const LOGIN = `ballast:${encodeURIComponent(PASSWORD)}@`;
const CERTIFICATE = join(import.meta.dirname, "../tls/localhost.pem");
const KEY = join(import.meta.dirname, "../tls/localhost.key");
const SLOTS = 16_384;

const everything = (password: string) => `user ballast on >${password} ~* &* +@all`;

/** With TLS alone, by an authority that nobody knows. */
export async function startTlsRedis(): Promise<RedisTopology> {
  const stack = new AsyncDisposableStack();
  const server = stack.use(
    await startRedisProcess({
      isTls: true,
      settings: [
        `tls-cert-file ${CERTIFICATE}`,
        `tls-key-file ${KEY}`,
        `tls-ca-cert-file ${CERTIFICATE}`,
        "tls-auth-clients no",
        everything(PASSWORD),
      ],
    }),
  );
  const url = `rediss://${LOGIN}127.0.0.1:${server.port}/2?ca=${CERTIFICATE}`;
  return { url, servers: [server], [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const usersOf = (lines: string): string[] =>
  lines.trim().replaceAll("{password}", `>${PASSWORD}`).split("\n");

/** With one user, who has the rights of a line of an ACL file, in which `{password}` stands for hers. */
export async function startRedisWithUsers(lines: string): Promise<RedisTopology> {
  const server = await startRedisProcess({ settings: usersOf(lines) });
  const url = `redis://${LOGIN}127.0.0.1:${server.port}`;
  return { url, servers: [server], [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

export interface Sentinels extends RedisTopology {
  /** The server that the sentinels name as master now, and its replicas. */
  roles(): Promise<{ master: RedisProcess; replicas: readonly RedisProcess[] }>;
}

/** A master, replicas of it and three sentinels that agree by two that it is dead. */
export async function startSentinels({
  replicas = 1,
  downAfterMs = 1_000,
  settings = [],
}: {
  readonly replicas?: number;
  /** Silence after which a sentinel thinks so. */
  readonly downAfterMs?: number;
  /** Further lines of the data servers' configuration. */
  readonly settings?: readonly string[];
} = {}): Promise<Sentinels> {
  const stack = new AsyncDisposableStack();
  const own = ["requirepass secret", "masterauth secret", ...settings];
  const first = stack.use(await startRedisProcess({ settings: own }));
  const others = await Promise.all(
    Array.from({ length: replicas }, () =>
      startRedisProcess({ settings: [...own, `replicaof 127.0.0.1 ${first.port}`] }),
    ),
  );
  for (const replica of others) stack.use(replica);
  const sentinels = await Promise.all(
    [1, 2, 3].map(() =>
      startRedisProcess({
        isSentinel: true,
        settings: [
          `sentinel monitor orders 127.0.0.1 ${first.port} 2`,
          "sentinel auth-pass orders secret",
          `sentinel down-after-milliseconds orders ${downAfterMs}`,
          "sentinel failover-timeout orders 5000",
        ],
      }),
    ),
  );
  for (const sentinel of sentinels) stack.use(sentinel);
  const asked = stack.adopt(quietClient(sentinels[0]?.port), (client) => client.disconnect());
  await until(async () => {
    const [fields] = (await asked.call("SENTINEL", "MASTERS")) as string[][];
    const of = (name: string) => Number(fields?.[(fields?.indexOf(name) ?? -2) + 1]);
    return of("num-slaves") === replicas && of("num-other-sentinels") === 2;
  });
  const data = [first, ...others];
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
  return {
    url: `redis+sentinel://:secret@${hosts}/orders/0`,
    servers: [...data, ...sentinels],
    async roles() {
      const address = await asked.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "orders");
      const masterPort = Number((address as string[])[1]);
      const master = data.find(({ port }) => port === masterPort);
      if (master === undefined) throw new Error(`the sentinels name a stranger: ${address}`);
      return { master, replicas: data.filter((server) => server !== master) };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export interface ClusterOfRedis extends RedisTopology {
  /** The node that has this key's slot now, and those that copy it, as most nodes see it. */
  rolesFor(key: string): Promise<{ master: RedisProcess; replicas: readonly RedisProcess[] }>;
}

/** Three masters that share the slots, each with a replica if that is wanted. */
export async function startCluster({
  withReplicas = false,
  users,
}: {
  readonly withReplicas?: boolean;
  /** Lines of an ACL file, by whose user `ballast` the URL logs in. */
  readonly users?: string;
} = {}): Promise<ClusterOfRedis> {
  const stack = new AsyncDisposableStack();
  const settings = [
    "cluster-enabled yes",
    "cluster-node-timeout 2000",
    "cluster-require-full-coverage yes",
    "requirepass secret",
    "masterauth secret",
    // The nodes themselves, and we, go on as the user that everybody is by default.
    ...usersOf(users ?? "").filter((line) => line.startsWith("user ballast ")),
  ];
  const nodes = await Promise.all(
    Array.from({ length: withReplicas ? 6 : 3 }, () => startRedisProcess({ settings })),
  );
  for (const node of nodes) stack.use(node);
  const clients = nodes.map(({ port }) =>
    stack.adopt(quietClient(port, "secret"), (client) => client.disconnect()),
  );
  const masters = clients.slice(0, 3);
  const share = Math.ceil(SLOTS / masters.length);
  await Promise.all(
    masters.map(async (client, at) => {
      const last = Math.min(SLOTS, (at + 1) * share) - 1;
      await client.call("CLUSTER", "ADDSLOTSRANGE", String(at * share), String(last));
      await client.call("CLUSTER", "SET-CONFIG-EPOCH", String(at + 1));
    }),
  );
  for (const { port } of nodes.slice(1))
    await clients[0]?.call("CLUSTER", "MEET", "127.0.0.1", String(port));
  const allSay = (pattern: RegExp) =>
    until(async () => {
      const infos = await Promise.all(clients.map((client) => client.call("CLUSTER", "INFO")));
      return infos.every((info) => pattern.test(String(info)));
    });
  await allSay(new RegExp(`cluster_known_nodes:${nodes.length}\\b`));
  await Promise.all(
    clients.slice(3).map(async (client, at) => {
      const master = String(await masters[at]?.call("CLUSTER", "MYID"));
      await until(() =>
        client.call("CLUSTER", "REPLICATE", master).then(
          () => true,
          () => false,
        ),
      );
      await until(async () => String(await client.info("replication")).includes("_status:up"));
    }),
  );
  await allSay(/cluster_state:ok/);
  return {
    url: `redis+cluster://${users === undefined ? ":secret@" : LOGIN}${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    servers: nodes,
    async rolesFor(key) {
      const answers = await Promise.all(
        clients.map((client) => shareOf(client, key).catch(() => undefined)),
      );
      // Those that agree by two: one that was cut off still believes in itself.
      const seen = Map.groupBy(answers, (ports) => String(ports));
      const [ports] = [...seen.values()].sort((a, b) => b.length - a.length)[0] ?? [];
      const [master, ...replicas] = (ports ?? []).flatMap(
        (port) => nodes.find((node) => node.port === port) ?? [],
      );
      if (master === undefined) throw new Error(`no node has the slot of ${key}`);
      return { master, replicas };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Ports of the nodes that have a key's slot, as one node sees it: the master's first. */
async function shareOf(client: Redis, key: string): Promise<readonly number[]> {
  const slot = Number(await client.call("CLUSTER", "KEYSLOT", key));
  const ranges = (await client.call("CLUSTER", "SLOTS")) as Array<
    [number, number, ...Array<[string, number]>]
  >;
  const [, , ...nodes] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [0, 0];
  return nodes.map(([, port]) => port);
}

function quietClient(port = 0, password?: string): Redis {
  const client = new Redis({
    host: "127.0.0.1",
    port,
    ...(password && { password }),
    maxRetriesPerRequest: 1,
  });
  client.on("error", () => {}); // the call that meets it fails
  return client;
}
