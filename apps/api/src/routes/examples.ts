/** Bodies the docs show; a test sends each of them, so they stay true. */
export const draftExample = {
  customerId: "0190c1a2-0000-7000-8000-0000000000c1",
  dueDate: "2026-12-23",
  paymentTerms: "Payable within 30 days.",
  lines: [
    {
      sku: "STONE-20",
      description: "Ballast stone, 20 kg",
      quantity: "12",
      unit: "pcs",
      unitPriceMinor: 1995,
      taxRate: "19",
    },
    { description: "Delivery", quantity: "1", unitPriceMinor: 4900, taxRate: "19" },
  ],
};

export const companyExample = {
  legalName: "Nordlicht Handels GmbH",
  address: {
    lines: ["Hafenstraße 12"],
    postalCode: "20457",
    city: "Hamburg",
    countryCode: "DE",
  },
  taxIds: [{ label: "USt-IdNr.", value: "DE123456789" }],
  iban: "DE89 3704 0044 0532 0130 00",
  currency: "EUR",
  timeZone: "Europe/Berlin",
  mailFromName: "Nordlicht Rechnungen",
  mailFromAddress: "rechnung@nordlicht.example",
  numberPrefix: "R-",
};

export const customerExample = {
  name: "Müller & Söhne KG",
  address: { lines: ["Am Markt 3"], postalCode: "1010", city: "Wien", countryCode: "AT" },
  email: "buchhaltung@mueller.example",
  locale: "de-AT" as const,
};

export const productExample = {
  name: "Ballast stone, 20 kg",
  unitPriceMinor: 1995,
  currency: "EUR",
};

export const accountExample = {
  kind: "shopify" as const,
  name: "Nordlicht on Shopify",
  settings: { shop: "nordlicht.myshopify.com", locationId: "gid://shopify/Location/7" },
  credentials: { accessToken: "shpat_0123456789abcdef" },
  reconcile: { cron: "0 3 * * *", timeZone: "Europe/Berlin" },
};
