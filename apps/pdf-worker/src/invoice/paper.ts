export type Paper = "A4" | "Letter";

/** Where offices load Letter: the territories whose paper size is US-Letter in CLDR's supplemental data. */
const LETTER_COUNTRIES: ReadonlySet<string> = new Set(
  "BZ CA CL CO CR GT MX NI PA PH PR SV US VE".split(" "),
);

/** The paper of an issuing company's country, an ISO 3166-1 alpha-2 code. */
export const paperOf = (countryCode: string): Paper =>
  LETTER_COUNTRIES.has(countryCode.toUpperCase()) ? "Letter" : "A4";
