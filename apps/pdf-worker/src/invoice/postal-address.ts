import type { Address } from "@ballast/database";

/** Countries that write the place as `Portland, OR 97204`. */
const CITY_REGION_CODE: ReadonlySet<string> = new Set(["AU", "CA", "IN", "NZ", "US"]);
/** Countries whose postal code has a line of its own below the place. */
const CODE_BELOW: ReadonlySet<string> = new Set(["GB", "IE"]);

/**
 * An address as it stands on an envelope, without the name. Most countries write `20457 Hamburg`;
 * the sets above name those that do not.
 *
 * @param from the sender's country; mail within one country does not name it
 * @param locale BCP 47 tag for the country's name
 * @see Universal Postal Union, "Postal addressing systems in member countries"
 */
export function addressLines(address: Address, from: string, locale: string): readonly string[] {
  const { countryCode } = address;
  const country = countryCode === from ? [] : [countryName(countryCode, locale)];
  return [...address.lines, ...placeLines(address), ...country].filter((line) => line !== "");
}

function placeLines({ postalCode, city, region, countryCode }: Address): readonly string[] {
  const place = region === undefined ? city : `${city}, ${region}`;
  if (CITY_REGION_CODE.has(countryCode)) return [`${place} ${postalCode}`.trim()];
  if (CODE_BELOW.has(countryCode)) return [place, postalCode];
  return [`${postalCode} ${place}`.trim()];
}

const countryName = (code: string, locale: string): string =>
  new Intl.DisplayNames(locale, { type: "region", fallback: "code" }).of(code) ?? code;
