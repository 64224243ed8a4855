/**
 * The API versions that are spoken, each in one place. To move one: read its changelog, change it here and
 * in the double of `@ballast/testing` that imitates it, run the adapter's tests.
 */
export const API_VERSIONS = {
  /** Dated; each works for a year. 2026-04 brought `changeFromQuantity` and made `@idempotent` mandatory. */
  shopifyAdmin: "2026-07",
  woocommerceRest: "v3",
  amazonListings: "2021-08-01",
  amazonFeeds: "2021-06-30",
  /** Of the messages in a `JSON_LISTINGS_FEED`. */
  amazonListingsFeed: "2.0",
  ebayInventory: "v1",
  ebayAnalytics: "v1_beta",
} as const;
