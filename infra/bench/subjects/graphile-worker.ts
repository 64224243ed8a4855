/** graphile-worker with the settings that its page on performance publishes. */
import { load } from "../rivals/load.ts";
import { openFinishLine } from "../src/finish-line.ts";
import { serveSubject } from "../src/subject-program.ts";
import { listenForWishes } from "../src/wish-route.ts";

interface Graphile {
  readonly WorkerPreset: object;
  runMigrations(options: { connectionString: string }): Promise<void>;
  run(options: {
    preset: object;
    taskList: Record<string, (payload: { id: string }) => Promise<void>>;
  }): Promise<unknown>;
}

const { WorkerPreset, run, runMigrations } = await load<Graphile>("graphile-worker");
const line = openFinishLine();

serveSubject({
  listen: async ({ databaseUrl }: { databaseUrl: string }) => {
    await runMigrations({ connectionString: databaseUrl });
    return await listenForWishes(databaseUrl, async (client, payload) => {
      const text = "SELECT id FROM graphile_worker.add_job('echo', $1::json)";
      return (await client.query<{ id: string }>(text, [payload])).rows[0]?.id;
    });
  },
  work: async ({ databaseUrl }: { databaseUrl: string }) => {
    const worker = {
      connectionString: databaseUrl,
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    };
    await run({
      preset: { extends: [WorkerPreset], worker },
      taskList: { echo: async ({ id }) => line.crossed(id) },
    });
    return {};
  },
  expect: async ({ count }: { count: number }) => {
    line.expect(count);
    return {};
  },
  finished: () => line.all(),
});
