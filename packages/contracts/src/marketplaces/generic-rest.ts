import { z } from "zod";
import { remoteUrl, secret } from "./fields.ts";

/** RFC 6901, e.g. `/results` or `/error/code`; empty is the whole answer. */
const pointer = (description: string) =>
  z
    .string()
    .max(200)
    .regex(/^(\/([^~/]|~0|~1)*)*$/, "must be a JSON pointer such as /results")
    .meta({ description });

const headerName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9-]+$/, "must be the name of a header");

const path = (description: string) =>
  z
    .string()
    .max(1_000)
    .regex(/^\/[^\s#]*$/, "must begin with / and hold no space and no fragment")
    .meta({ description });

/** An answer that means "throttled": by its status, or by its status and a word in its body. */
const ThrottledWhen = z.object({
  status: z.int().min(200).max(599),
  pointer: pointer("Where the word stands.").optional(),
  equals: z.string().max(200).optional(),
});

const Push = z.object({
  method: z.enum(["POST", "PUT", "PATCH"]).default("POST"),
  path: path("Where stock is written; {externalId} and {sku} are filled in where maxBatch is 1."),
  maxBatch: z.int().min(1).max(10_000).default(100),
  body: z.json().meta({
    description:
      'What is sent. The texts "{externalId}", "{sku}" and "{quantity}" stand for an item\'s values; an object {"$each": …} becomes a list with one entry for each item.',
    example: { items: { $each: { sku: "{externalId}", quantity: "{quantity}" } } },
  }),
  results: z
    .object({
      items: pointer("The list of results; without it the status speaks for all items.").optional(),
      externalId: pointer(
        "In a result: whose it is. Without it the results are in the order of the items.",
      ).optional(),
      error: pointer("In a result: there and not null if the item failed.").default("/error"),
      code: pointer("In a result: the error's code.").default("/error/code"),
      message: pointer("In a result: the error's words.").default("/error/message"),
    })
    .prefault({}),
  rejectedCodes: z.array(z.string().max(200)).max(100).default([]).meta({
    description: "Codes of items that can never work; every other code is tried again.",
  }),
});

const List = z.object({
  path: path("Where stock is read; {cursor} is filled in, empty at first."),
  items: pointer("The list of items."),
  externalId: pointer("In an item: its id there."),
  sku: pointer("In an item: our SKU, if they hold it.").optional(),
  quantity: pointer("In an item: its quantity."),
  next: pointer("The next page's cursor; absent, null or empty on the last page.").optional(),
});

/** Any HTTP API that takes stock as JSON, told by configuration alone. */
export const genericRest = {
  settings: z.object({
    baseUrl: remoteUrl("Base address; the paths are put behind it."),
    auth: z
      .object({
        header: headerName.default("Authorization"),
        value: z
          .string()
          .max(500)
          .regex(/^[\x20-\x7e]*\{token\}[\x20-\x7e]*$/, "must hold {token}")
          .default("Bearer {token}"),
      })
      .prefault({}),
    push: Push,
    list: List.optional(),
    throttle: z
      .object({
        throttledWhen: z
          .array(ThrottledWhen)
          .max(20)
          .default([{ status: 429 }]),
        capacity: z.number().positive().max(1_000_000).optional().meta({
          description: "Calls at once, for an API that tells no quota in its headers.",
        }),
        perSecond: z.number().positive().max(100_000).optional().meta({
          description: "Calls that come back each second, for the same.",
        }),
      })
      .prefault({}),
  }),
  credentials: z.object({
    token: secret("What opens the API; goes where auth.value says {token}."),
  }),
};
