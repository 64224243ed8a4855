import { expect, test } from "vitest";
import { verdictOf } from "../../src/index.ts";

const away = (code: string, more: object = {}) =>
  Object.assign(new Error("invoices/company-1/a.pdf"), { code, dependencyDown: true, ...more });

test.each([
  ["a refused connection", away("ECONNREFUSED"), "unreachable"],
  ["credentials that are not taken", away("AccessDenied", { accessDenied: true }), "auth_failed"],
  ["a certificate out of date", away("CERT_HAS_EXPIRED"), "certificate_refused"],
  ["one of another name", away("ERR_TLS_CERT_ALTNAME_INVALID"), "certificate_refused"],
  ["one nobody vouches for", away("DEPTH_ZERO_SELF_SIGNED_CERT"), "certificate_refused"],
  ["one without its chain", away("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "certificate_refused"],
])("%s says that a remote is away, by its code alone", (_what, error, code) => {
  expect(verdictOf(error)).toEqual({ code, message: error.code });
});
