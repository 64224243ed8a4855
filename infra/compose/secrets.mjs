// Makes what is secret, once, in ./secrets or the folder it is told: what is there already stays. Plain Node.js, for a
// machine that has nothing else of ours.
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2] ?? join(import.meta.dirname, "secrets");
mkdirSync(folder, { recursive: true, mode: 0o700 });
const random = () => randomBytes(24).toString("hex");

/** Containers read these as users that this machine does not know; the folder keeps everybody else out. */
function once(name, make) {
  const file = join(folder, name);
  if (!existsSync(file)) writeFileSync(file, `${make()}\n`, { mode: 0o444 });
  return readFileSync(file, "utf8").trim();
}

const postgres = once("postgres_password", random);
once("database_url", () => `postgres://ballast:${postgres}@postgres:5432/ballast`);
const queue = once("queue_url", () => `redis://ballast:${random()}@redis:6379`);
once("redis_users", () => {
  const rights = readFileSync(join(import.meta.dirname, "../redis/users.acl"), "utf8");
  const hash = createHash("sha256").update(new URL(queue).password).digest("hex");
  return rights.replaceAll("{password}", `#${hash}`).trim();
});
once("marketplace_keys", () => `1:${randomBytes(32).toString("base64")}`);
once("grafana_password", random);
// Whoever is to hear of alerts writes their own here; until then Alertmanager says that it cannot deliver.
once("slack_webhook_url", () => "https://hooks.slack.com/services/not/yet/set");
once("pagerduty_routing_key", () => "not-yet-set");
console.log(`secrets are in ${folder}`);
