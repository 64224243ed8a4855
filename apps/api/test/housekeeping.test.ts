import { openRunStore } from "@ballast/database";
import { createTestDatabase, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { startHousekeeping } from "../src/housekeeping.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

test("an API that starts moves what is over, and ends with nothing half done", async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  const store = openRunStore(db);
  const request = { requestedBy: null, traceparent: null };
  const { runId } = await db.transaction((tx) =>
    store.ask(
      tx,
      {
        queue: "pdf",
        job: "echo",
        version: 1,
        payload: {},
        companyId: null,
        subject: null,
        slot: null,
        priority: 0,
        dueAt: null,
        deadlineAt: new Date(0),
        heldFor: null,
      },
      request,
    ),
  );
  await store.expire(1);
  const moved = () => db.kysely.selectFrom("jobRunsHistory").select(["id", "state"]).execute();

  await using _ = startHousekeeping(db, { moveAfterMs: 0, keepMonths: 1 }, quiet);

  await until(async () => (await moved()).length > 0, { deadlineMs: 20_000 });
  expect(await moved()).toEqual([{ id: runId, state: "dead" }]);
});
