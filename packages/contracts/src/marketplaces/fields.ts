import { z } from "zod";

const MAX_SECRET_LENGTH = 8_192;

/** What opens an account: taken in, kept encrypted, never given out again. */
export const secret = (description: string) =>
  z
    .string()
    .trim()
    .min(1)
    .max(MAX_SECRET_LENGTH)
    // A header or form is made of it: a line break would begin another.
    .regex(/^[\x20-\x7e]+$/, "must be printable ASCII")
    .meta({ description, writeOnly: true, format: "password" });

/** The settings that decide where credentials are sent. */
export const addresses = z.registry();

/** An address of the remote, without credentials, query or fragment. */
export const remoteUrl = (description: string) =>
  z
    .url({ protocol: /^https?$/ })
    .max(1_000)
    .refine((url) => {
      const parsed = URL.parse(url);
      return parsed?.username === "" && parsed.password === "";
    }, "must not hold credentials: they have fields of their own")
    .refine((url) => !/[?#]/.test(url), "must have no query and no fragment")
    .meta({ description })
    .register(addresses);

/** Where the API is, if not at its public address: a proxy, a sandbox, or a double in a test. */
export const endpoint = () =>
  remoteUrl("Base address of the API, if it is not the public one.").optional();
