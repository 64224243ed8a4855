import { credentialFields, MarketplaceKind, marketplaces } from "@ballast/contracts";
import type { DriftReport, Listing, MarketplaceAccount } from "@ballast/database";
import { z } from "zod";
import { hasTicks } from "../schedules/ticks.ts";
import { sku } from "./stock.ts";
import { line, moment, uuid } from "./text.ts";
import { timeZone } from "./time-zone.ts";
import { reason } from "./triage.ts";

const cron = z
  .string()
  .trim()
  .max(100)
  .regex(/^[\d*,/-]+( [\d*,/-]+){4}$/, "must be five fields of cron, e.g. 0 3 * * *")
  .meta({ description: "Minute, hour, day, month, weekday.", example: "0 3 * * *" });

const rules = {
  name: line(100).meta({ example: "Nordlicht on Shopify" }),
  minPushIntervalMs: z.int().min(0).max(3_600_000).default(1_000).meta({
    description: "Changes that come within this time after a push began are told by one more.",
  }),
  reconcile: z
    .strictObject({ cron, timeZone })
    .refine(hasTicks, {
      path: ["cron"],
      message: "names a time that never comes",
      when: ({ issues }) => issues.length === 0, // both fields are what they must be
    })
    .nullable()
    .default(null)
    .meta({ description: "When it is compared with what we hold; `null`: when asked alone." }),
  driftWinner: z.enum(["ours", "theirs"]).default("ours").meta({
    description: "Whose quantity stays where the marketplace changed one by itself.",
  }),
  maxCorrections: z.int().min(1).max(100).default(3).meta({
    description: "Corrections in a row of one article that drifts again and again.",
  }),
};

const accountOf = <Kind extends MarketplaceKind>(kind: Kind) => {
  const { settings, credentials }: { settings: z.ZodObject; credentials: z.ZodObject } =
    marketplaces[kind];
  return z.strictObject({
    kind: z.literal(kind),
    companyId: uuid("The company; needed by a key that reaches all").optional(),
    ...rules,
    settings: settings.strict(),
    credentials: credentials.strict().optional().meta({
      description:
        "Kept encrypted, never given out. Left out: they stay, and so must each address in the settings.",
    }),
  });
};

const kinds = MarketplaceKind.options;

export const AccountInput = z
  .discriminatedUnion(
    "kind",
    [
      accountOf("shopify"),
      accountOf("woocommerce"),
      accountOf("amazon"),
      accountOf("ebay"),
      accountOf("generic-rest"),
    ],
    {
      error: (issue) =>
        issue.code === "invalid_union" ? `must be one of ${kinds.join(", ")}` : undefined,
    },
  )
  .meta({ id: "MarketplaceAccountInput" });

export const AccountBody = z
  .object({
    id: uuid("The account"),
    companyId: uuid("The company"),
    kind: MarketplaceKind,
    ...rules,
    settings: z.record(z.string(), z.unknown()),
    credentials: z
      .object({ fields: z.array(z.string()), setAt: moment, keyId: z.string() })
      .meta({ description: "Which there are, since when, and the key that opens them." }),
    paused: z.boolean(),
    lastPushAt: moment.nullable(),
    createdAt: moment,
    updatedAt: moment,
  })
  .meta({ id: "MarketplaceAccount" });

export const AccountListBody = z.object({ accounts: z.array(AccountBody) });

export function accountBody({
  credentialsKeyId: keyId,
  credentialsSetAt: setAt,
  maxBatch: _,
  ...account
}: MarketplaceAccount) {
  const kind = MarketplaceKind.safeParse(account.kind);
  const fields = kind.success ? credentialFields(kind.data) : [];
  return { ...account, credentials: { fields, setAt, keyId } };
}

export const ListingsInput = z
  .strictObject({
    listings: z
      .array(
        z.strictObject({
          sku,
          externalId: line(200).meta({ description: "Its id at the marketplace." }),
        }),
      )
      .min(1)
      .max(10_000)
      .check(eachOnce("sku"), eachOnce("externalId")),
  })
  .meta({ id: "ListingsInput" });

/** Names each entry that repeats one before it. */
function eachOnce(field: "sku" | "externalId") {
  return z.superRefine<{ sku: string; externalId: string }[]>((entries, context) => {
    const seen = new Set<string>();
    for (const [index, entry] of entries.entries()) {
      if (seen.has(entry[field]))
        context.addIssue({ code: "custom", path: [index, field], message: "must be there once" });
      seen.add(entry[field]);
    }
  });
}

export const ListingsPutBody = z
  .object({
    listings: z.int(),
    toTell: z.int().meta({ description: "Of them: the marketplace does not have our stock yet." }),
  })
  .meta({ id: "ListingsPut" });

const ListingBody = z
  .object({
    sku: z.string(),
    externalId: z.string(),
    desiredQuantity: z.int().nullable(),
    desiredVersion: z.int(),
    confirmedQuantity: z.int().nullable(),
    confirmedVersion: z.int(),
    confirmedAt: moment.nullable(),
    dirty: z.boolean().meta({ description: "They do not have what they shall hold." }),
    urgent: z.boolean(),
    failed: z
      .object({ code: z.string(), message: z.string(), retryAt: moment.nullable() })
      .nullable()
      .meta({ description: "Why the last try failed, and when the next one is." }),
    parked: z.object({ code: z.string(), message: z.string(), since: moment }).nullable().meta({
      description: "Why it can never be told as it is: correct it, or replay its letter.",
    }),
    corrections: z.int().meta({ description: "Of drift, since it was last found in agreement." }),
  })
  .meta({ id: "Listing" });

export const ListingListBody = z.object({
  listings: z.array(ListingBody),
  nextCursor: z.string().nullable(),
});

export function listingBody(listing: Listing) {
  const { failedCode, failedMessage, retryAt, rejectedAt, rejectedCode, rejectedMessage, ...rest } =
    listing;
  return {
    ...rest,
    desiredVersion: Number(rest.desiredVersion),
    confirmedVersion: Number(rest.confirmedVersion),
    failed:
      failedCode === null ? null : { code: failedCode, message: failedMessage ?? "", retryAt },
    parked:
      rejectedAt === null
        ? null
        : { code: rejectedCode ?? "", message: rejectedMessage ?? "", since: rejectedAt },
  };
}

export const SyncInput = z
  .strictObject({
    reason,
    urgent: z.boolean().default(false).meta({ description: "Before the pushes of others." }),
  })
  .meta({ id: "SyncInput" });

const count = z.int().min(0);

const DriftReportBody = z
  .object({
    reportId: uuid("The report"),
    startedAt: moment,
    finishedAt: moment,
    listed: count.meta({ description: "Articles they list." }),
    compared: count.meta({ description: "Listings of ours that were compared with them." }),
    inAgreement: count,
    pending: count.meta({ description: "A change of ours is on its way." }),
    drifted: count.meta({ description: "Changed by them." }),
    corrected: count,
    givenUp: count.meta({ description: "Drifted again after the last correction allowed." }),
    missing: count.meta({ description: "Ours, and not listed there." }),
    unknown: count.meta({ description: "Theirs, and no listing of ours." }),
    items: z.array(
      z.object({
        sku: z.string(),
        externalId: z.string(),
        kind: z.enum(["drifted", "both_changed", "missing"]),
        ours: z.number(),
        confirmed: z.number().nullable(),
        theirs: z.number().nullable(),
        action: z.enum(["push", "adopt", "give_up", "none"]),
      }),
    ),
  })
  .meta({ id: "DriftReport" });

export const DriftListBody = z.object({
  reports: z.array(DriftReportBody),
  nextCursor: uuid("The next page").nullable(),
});

export const driftBody = ({ id: reportId, ...report }: DriftReport) => ({ reportId, ...report });

export const AccountStatusBody = z
  .object({
    paused: z.boolean(),
    gate: z
      .object({
        state: z.enum(["open", "closed", "ramping"]),
        since: moment.nullable(),
        code: z.string().nullable(),
        message: z.string().nullable().meta({ description: "Why it was closed, in words." }),
        nextProbeAt: moment.nullable(),
      })
      .meta({ description: "Whether the marketplace is called." }),
    quota: z
      .object({
        left: z.number(),
        capacity: z.number(),
        restorePerSecond: z.number().nullable(),
        blockedUntil: moment.nullable(),
      })
      .nullable()
      .meta({ description: "In the marketplace's own units; `null` until it told one." }),
    backlog: z.object({
      dirty: count,
      urgent: count,
      failing: count,
      parked: count,
      oldestSince: moment.nullable(),
      confirmedLastMinute: count,
    }),
    forecast: z
      .object({ itemsPerSecond: z.number(), caughtUpAt: moment })
      .nullable()
      .meta({ description: "When all is told; `null` as long as nothing tells how fast it goes." }),
    lastPushAt: moment.nullable(),
  })
  .meta({ id: "MarketplaceStatus" });
