/** pg-boss as its documentation advises where latency and throughput count: woken by NOTIFY, fetching in batches. */
import { load } from "../rivals/load.ts";
import { openFinishLine } from "../src/finish-line.ts";
import { serveSubject } from "../src/subject-program.ts";
import { listenForWishes } from "../src/wish-route.ts";

interface Sql {
  executeSql(text: string, values: unknown[]): Promise<{ rows: unknown[] }>;
}

interface Boss {
  on(event: "error", tell: (error: unknown) => void): void;
  start(): Promise<unknown>;
  createQueue(name: string, options: object): Promise<void>;
  send(name: string, data: object, options: { db: Sql }): Promise<string | null>;
  work(
    name: string,
    options: object,
    handler: (jobs: ReadonlyArray<{ data: { id: string } }>) => Promise<void>,
  ): Promise<string>;
}

const { PgBoss } = await load<{ PgBoss: new (options: object) => Boss }>("pg-boss");
const QUEUE = "echo";
const line = openFinishLine();

async function open(connectionString: string): Promise<Boss> {
  const boss = new PgBoss({ connectionString, max: 10, useListenNotify: true });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue(QUEUE, { notify: true });
  return boss;
}

serveSubject({
  listen: async ({ databaseUrl }: { databaseUrl: string }) => {
    const boss = await open(databaseUrl);
    return await listenForWishes(databaseUrl, (client, payload) => {
      const db: Sql = { executeSql: (text, values) => client.query(text, values) };
      return boss.send(QUEUE, payload, { db });
    });
  },
  work: async ({ databaseUrl }: { databaseUrl: string }) => {
    const boss = await open(databaseUrl);
    const options = { batchSize: 500, localConcurrency: 2, burstWhenBatchFull: true };
    await boss.work(QUEUE, { ...options, pollingIntervalSeconds: 0.5 }, async (jobs) => {
      for (const { data } of jobs) line.crossed(data.id);
    });
    return {};
  },
  expect: async ({ count }: { count: number }) => {
    line.expect(count);
    return {};
  },
  finished: () => line.all(),
});
