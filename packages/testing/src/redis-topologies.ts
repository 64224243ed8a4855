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

/** With one user, who has the rights of a line of an ACL file, in which `{password}` stands for hers. */
export async function startRedisWithUsers(lines: string): Promise<RedisTopology> {
  const server = await startRedisProcess({
    settings: lines.trim().replaceAll("{password}", `>${PASSWORD}`).split("\n"),
  });
  const url = `redis://${LOGIN}127.0.0.1:${server.port}`;
  return { url, servers: [server], [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** A master, a replica and three sentinels that agree by two, within a second of its death. */
export async function startSentinels(): Promise<RedisTopology> {
  const stack = new AsyncDisposableStack();
  const auth = ["requirepass secret", "masterauth secret"];
  const master = stack.use(await startRedisProcess({ settings: auth }));
  const replica = stack.use(
    await startRedisProcess({ settings: [...auth, `replicaof 127.0.0.1 ${master.port}`] }),
  );
  const sentinels = await Promise.all(
    [1, 2, 3].map(() =>
      startRedisProcess({
        isSentinel: true,
        settings: [
          `sentinel monitor orders 127.0.0.1 ${master.port} 2`,
          "sentinel auth-pass orders secret",
          "sentinel down-after-milliseconds orders 1000",
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
    return of("num-slaves") === 1 && of("num-other-sentinels") === 2;
  });
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
  return {
    url: `redis+sentinel://:secret@${hosts}/orders/0`,
    servers: [master, replica, ...sentinels],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Three nodes that share the slots. */
export async function startCluster(): Promise<RedisTopology> {
  const stack = new AsyncDisposableStack();
  const settings = [
    "cluster-enabled yes",
    "cluster-node-timeout 2000",
    "cluster-require-full-coverage yes",
    "requirepass secret",
    "masterauth secret",
  ];
  const nodes = await Promise.all([1, 2, 3].map(() => startRedisProcess({ settings })));
  for (const node of nodes) stack.use(node);
  const clients = nodes.map(({ port }) =>
    stack.adopt(quietClient(port, "secret"), (client) => client.disconnect()),
  );
  const share = Math.ceil(SLOTS / nodes.length);
  await Promise.all(
    clients.map(async (client, at) => {
      const last = Math.min(SLOTS, (at + 1) * share) - 1;
      await client.call("CLUSTER", "ADDSLOTSRANGE", String(at * share), String(last));
      await client.call("CLUSTER", "SET-CONFIG-EPOCH", String(at + 1));
    }),
  );
  for (const { port } of nodes.slice(1))
    await clients[0]?.call("CLUSTER", "MEET", "127.0.0.1", String(port));
  await until(async () => {
    const infos = await Promise.all(clients.map((client) => client.call("CLUSTER", "INFO")));
    return infos.every((info) => /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(info)));
  });
  return {
    url: `redis+cluster://:secret@${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    servers: nodes,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function quietClient(port = 0, password?: string): Redis {
  const client = new Redis({ host: "127.0.0.1", port, ...(password && { password }) });
  client.on("error", () => {}); // the call that meets it fails
  return client;
}
