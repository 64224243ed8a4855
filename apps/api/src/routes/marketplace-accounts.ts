import { addressFields } from "@ballast/contracts";
import {
  type AccountFacts,
  type Database,
  findAccount,
  insertAccount,
  isUniqueViolation,
  type KeyRing,
  listAccounts,
  lockAccount,
  type MarketplaceAccount,
  recordAction,
  sealCredentials,
  updateAccount,
} from "@ballast/database";
import { z } from "zod";
import { requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { refusal } from "../http/field-errors.ts";
import { notFound, Problem } from "../http/problem.ts";
import { AccountBody, AccountInput, AccountListBody, accountBody } from "../schemas/marketplace.ts";
import { uuid } from "../schemas/text.ts";
import { accountExample } from "./examples.ts";
import { ownerOf } from "./owner.ts";

interface Deps {
  readonly database: Pick<Database, "kysely">;
  readonly keys?: KeyRing;
}

export const AccountParams = z.object({ accountId: uuid("The marketplace account") });

/** Where stock is told, and with which credentials. */
export const marketplaceAccountRoutes = ({ database, keys }: Deps): Endpoint[] => [
  write({
    method: "put",
    path: "/v1/marketplace-accounts/{accountId}",
    operationId: "putMarketplaceAccount",
    tag: "Marketplaces",
    scope: "write",
    summary: "Set up a marketplace account, or change it",
    description:
      "Credentials go in and never come out; without them those that are there stay, unless the settings lead to another address. The kind of an account never changes.",
    params: AccountParams,
    query: z.object({}),
    body: AccountInput,
    example: accountExample,
    answers: {
      200: { description: "Changed.", schema: AccountBody },
      201: { description: "Set up.", schema: AccountBody },
    },
    problems: ["not-found", "no-keys"],
    async handle({ caller, params: { accountId }, body, tx }) {
      const before = await lockAccount(tx, scopeOf(caller), accountId);
      const { credentials, companyId: named, ...rules } = body;
      const companyId = await ownerOf(tx, caller, named, before);
      if (before !== undefined && before.kind !== body.kind)
        throw refusal("invalid-body", [
          { path: "kind", message: `must stay ${before.kind}: set up another account instead` },
        ]);
      if (before === undefined && credentials === undefined)
        throw refusal("invalid-body", [
          { path: "credentials", message: "is missing: a new account needs them" },
        ]);
      refuseUnreadable(body);
      if (before !== undefined && credentials === undefined) refuseMoved(before, body);

      const facts: AccountFacts = { ...rules, id: accountId, companyId };
      const sealed = credentials && sealCredentials(given(keys), accountId, credentials);
      const account = await (before === undefined && sealed !== undefined
        ? insertAccount(tx, facts, sealed)
        : updateAccount(tx, facts, sealed)
      ).catch((error: unknown) => {
        // Taken by a company this key does not reach: to the caller there is no such account.
        if (isUniqueViolation(error)) throw notFound("marketplace account", accountId);
        throw error;
      });
      await recordAction(tx, {
        actor: requestedBy(caller),
        action: "put-marketplace-account",
        targetKind: "marketplace-account",
        targetId: accountId,
        companyId,
        subject: `marketplace-account:${accountId}`,
        reason: null,
        before: before === undefined ? null : factsOf(before),
        after: { ...factsOf(account), credentialsChanged: sealed !== undefined },
      });
      return { status: before === undefined ? 201 : 200, body: accountBody(account) };
    },
  }),

  read({
    method: "get",
    path: "/v1/marketplace-accounts",
    operationId: "listMarketplaceAccounts",
    tag: "Marketplaces",
    scope: "read",
    summary: "List marketplace accounts by name",
    params: z.object({}),
    query: z.strictObject({}),
    answers: { 200: { description: "All of them.", schema: AccountListBody } },
    problems: [],
    async handle({ caller }) {
      const accounts = await listAccounts(database.kysely, scopeOf(caller));
      return { status: 200, body: { accounts: accounts.map(accountBody) } };
    },
  }),

  read({
    method: "get",
    path: "/v1/marketplace-accounts/{accountId}",
    operationId: "getMarketplaceAccount",
    tag: "Marketplaces",
    scope: "read",
    summary: "Read a marketplace account",
    params: AccountParams,
    query: z.object({}),
    answers: { 200: { description: "The account, without its credentials.", schema: AccountBody } },
    problems: ["not-found"],
    async handle({ caller, params: { accountId } }) {
      const account = await findAccount(database.kysely, scopeOf(caller), accountId);
      if (account === undefined) throw notFound("marketplace account", accountId);
      return { status: 200, body: accountBody(account) };
    },
  }),
];

/** @throws {Problem} `invalid-body` for a nightly comparison with an API that cannot list */
function refuseUnreadable({ kind, settings, reconcile }: z.output<typeof AccountInput>): void {
  if (kind === "generic-rest" && reconcile !== null && settings["list"] === undefined)
    throw refusal("invalid-body", [
      { path: "reconcile", message: "needs settings.list, which says how stock is read there" },
    ]);
}

/** @throws {Problem} `invalid-body` where kept credentials would go to an address they were not given for */
function refuseMoved(
  { settings: before }: MarketplaceAccount,
  { kind, settings }: z.output<typeof AccountInput>,
): void {
  const after: Readonly<Record<string, unknown>> = settings;
  const moved = addressFields(kind).filter(
    (name) => originOf(before[name]) !== originOf(after[name]),
  );
  const message =
    "changes: send the credentials again, they are not sent to an address they were not given for";
  if (moved.length > 0)
    throw refusal(
      "invalid-body",
      moved.map((name) => ({ path: `settings.${name}`, message })),
    );
}

/** Protocol, host and port; a shop's domain stands for itself, and so does none. */
const originOf = (address: unknown): unknown => URL.parse(String(address))?.origin ?? address;

function given(keys: KeyRing | undefined): KeyRing {
  if (keys === undefined) throw new Problem("no-keys", "MARKETPLACE_KEYS is not set");
  return keys;
}

const factsOf = (facts: AccountFacts) => ({
  kind: facts.kind,
  name: facts.name,
  settings: facts.settings,
  minPushIntervalMs: facts.minPushIntervalMs,
  reconcile: facts.reconcile,
  driftWinner: facts.driftWinner,
  maxCorrections: facts.maxCorrections,
});
