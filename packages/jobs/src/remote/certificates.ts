/** What a gate closes for where a remote's certificate is none that we trust. */
export const CERTIFICATE_REFUSED = "certificate_refused";

/** Codes of Node for a certificate that OpenSSL or the comparison of names found wanting. */
const CODES =
  /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|CRL_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;

/** Whether an error's code says that the other side's certificate is not trusted: waiting mends nothing. */
export const isCertificateCode = (code: unknown): boolean =>
  typeof code === "string" && CODES.test(code);
