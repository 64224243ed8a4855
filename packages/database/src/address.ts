/** A postal address; how its parts are set in print depends on the country. */
export interface Address {
  /** Street and house number, suite and the like; 1 to 4 lines. */
  readonly lines: readonly string[];
  readonly postalCode: string;
  readonly city: string;
  /** State or province, where addresses name one. */
  readonly region?: string | undefined;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly countryCode: string;
}

/** A registration as it is printed, e.g. `{ label: "USt-IdNr.", value: "DE123456789" }`. */
export interface TaxId {
  readonly label: string;
  readonly value: string;
}

export type Paper = "A4" | "Letter";

/** @see Unicode CLDR, supplemental `measurementData`, `paperSize type="US-Letter"` */
const LETTER_COUNTRIES: ReadonlySet<string> = new Set(
  "BZ CA CL CO CR GT MX NI PA PH PR SV US VE".split(" "),
);

/** The paper people in `countryCode` print on. */
export const paperOf = (countryCode: string): Paper =>
  LETTER_COUNTRIES.has(countryCode.toUpperCase()) ? "Letter" : "A4";
