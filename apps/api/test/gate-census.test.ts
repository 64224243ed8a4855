import { openRemoteStore } from "@ballast/database";
import { openTelemetry } from "@ballast/service";
import { until } from "@ballast/testing";
import { expect, test } from "vitest";
import { startGateCensus } from "../src/gate-census.ts";
import { setup } from "./setup.ts";

test("closed gates, those that only a person opens, and what is left of quotas are exported", async () => {
  await using t = await setup();
  const { accountId } = await t.shop();
  const remotes = openRemoteStore(t.database);
  await remotes.change({ kind: "marketplace", key: accountId }, ({ bucket }) => ({
    state: { bucket: { ...bucket, capacity: 40, tokens: 30, tokensAt: new Date() } },
    answer: undefined,
  }));
  await remotes.change({ kind: "smtp", key: "mail.example.org" }, ({ gate }) => ({
    state: { gate: { ...gate, state: "closed", closedAt: new Date(), code: "smtp_down" } },
    answer: undefined,
  }));
  await remotes.change({ kind: "storage", key: "s3.example.org" }, ({ gate }) => ({
    state: {
      gate: { ...gate, state: "closed", closedAt: new Date(), code: "certificate_refused" },
    },
    answer: undefined,
  }));
  const stopping = new AbortController().signal;
  const { telemetry } = openTelemetry({ service: "test", level: "silent", stopping });
  await using _census = startGateCensus(t.database, telemetry.metrics, telemetry.log);

  const text = () => telemetry.registry.metrics();
  await until(async () => (await text()).includes("ballast_quota_left{"), { deadlineMs: 60_000 });
  const account = `kind="marketplace",marketplace="shopify",account="${accountId}"`;
  expect(await text()).toContain(`ballast_gate_closed{${account}} 0`);
  expect(await text()).toContain(`ballast_quota_left{${account}} 30`);
  expect(await text()).toContain(`ballast_gate_closed{kind="smtp",key="mail.example.org"} 1`);
  expect(await text()).not.toContain(`ballast_quota_left{kind="smtp"`);
  expect(await text()).toContain(`ballast_gate_refused{${account}} 0`);
  expect(await text()).toContain(`ballast_gate_refused{kind="smtp",key="mail.example.org"} 0`);
  expect(await text()).toContain(`ballast_gate_refused{kind="storage",key="s3.example.org"} 1`);
});

test("while the database is away no gate is told of, neither closed nor open", async () => {
  await using t = await setup();
  await t.shop();
  const stopping = new AbortController().signal;
  const { telemetry } = openTelemetry({ service: "test", level: "silent", stopping });
  await using census = startGateCensus(t.database, telemetry.metrics, telemetry.log);
  const tells = async () => /^ballast_(gate|quota)_/m.test(await telemetry.registry.metrics());
  await until(tells);

  await t.database[Symbol.asyncDispose]();
  census.wake();
  await until(async () => !(await tells()));
});
