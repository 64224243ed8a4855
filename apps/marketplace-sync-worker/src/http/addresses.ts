import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { PermanentError } from "@ballast/jobs";

/** Not on the public internet: RFC 6890 and its IPv6 counterparts. */
const notPublic = new BlockList();
for (const [net, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16], // link-local; the metadata services of clouds
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const)
  notPublic.addSubnet(net, prefix, "ipv4");
for (const [net, prefix] of [
  ["2001::", 23], // Teredo, which holds an IPv4 address, and other protocols' own
  ["2001:db8::", 32],
  ["2002::", 16], // 6to4: holds an IPv4 address
  ["3fff::", 20],
] as const)
  notPublic.addSubnet(net, prefix, "ipv6");

/** Of IPv6 all that is routed, and IPv4 as itself: whatever else holds an IPv4 address leads to it unseen. */
const routed = new BlockList();
routed.addSubnet("2000::", 3, "ipv6");
routed.addSubnet("::ffff:0:0", 96, "ipv6");

/** `true` also for an IPv4 address that hides in an IPv6 one. */
export function isPrivate(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return notPublic.check(address, "ipv4");
  return family === 0 || !routed.check(address, "ipv6") || notPublic.check(address, "ipv6");
}

/**
 * Refuse what accounts must not reach: services behind our firewall, and credentials in the clear.
 *
 * Names are judged when they are looked up, by {@link publicLookup}; a literal address never is, so here.
 *
 * @throws {PermanentError} `address_not_allowed`
 */
export function checkAddress(
  url: string,
  { allowPrivate }: { readonly allowPrivate: boolean },
): void {
  if (allowPrivate) return;
  const { protocol, hostname } = new URL(url);
  if (protocol !== "https:")
    throw new PermanentError(
      "address_not_allowed",
      "the marketplace's address must begin with https: credentials would go out in the clear",
    );
  const literal = hostname.replace(/^\[|\]$/g, "");
  if (isIP(literal) !== 0 && isPrivate(literal)) throw notAllowed(literal);
}

/** Looks a name up as usual, and fails if any of its addresses is private. */
export const publicLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, []);
    const refused = addresses.find(({ address }) => isPrivate(address));
    if (refused) return done(notAllowed(hostname), []);
    if (options.all) return done(null, addresses);
    const [first] = addresses;
    done(null, first?.address ?? "", first?.family);
  });
};

const notAllowed = (host: string) =>
  new PermanentError(
    "address_not_allowed",
    `${host} is in a private network, which marketplaces may not be`,
  );
