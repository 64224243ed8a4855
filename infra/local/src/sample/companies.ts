import { sampleId } from "./identity.ts";

export interface SampleAddress {
  readonly lines: readonly string[];
  readonly postalCode: string;
  readonly city: string;
  readonly region?: string;
  readonly countryCode: string;
}

/** As `PUT /v1/companies/{id}` takes it. */
export interface SampleCompany {
  readonly id: string;
  readonly legalName: string;
  readonly address: SampleAddress;
  readonly taxIds: ReadonlyArray<{ readonly label: string; readonly value: string }>;
  readonly iban?: string;
  readonly bic: string;
  readonly bankName: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly email: string;
  readonly phone: string;
  readonly website: string;
  readonly mailFromName: string;
  readonly mailFromAddress: string;
  readonly numberPrefix: string;
}

/** A German GmbH that prints on A4. */
export const nordlicht: SampleCompany = {
  id: sampleId("company/nordlicht"),
  legalName: "Nordlicht Handels GmbH",
  address: {
    lines: ["Hafenstraße 12"],
    postalCode: "20457",
    city: "Hamburg",
    countryCode: "DE",
  },
  taxIds: [
    { label: "USt-IdNr.", value: "DE123456789" },
    { label: "Steuernummer", value: "22/815/08154" },
  ],
  iban: "DE89370400440532013000",
  bic: "COBADEFFXXX",
  bankName: "Commerzbank Hamburg",
  currency: "EUR",
  timeZone: "Europe/Berlin",
  email: "info@nordlicht.example",
  phone: "+49 40 5550 1200",
  website: "https://nordlicht.example",
  mailFromName: "Nordlicht Buchhaltung",
  mailFromAddress: "rechnung@nordlicht.example",
  numberPrefix: "R-",
};

/** An American corporation that prints on Letter. */
export const prairie: SampleCompany = {
  id: sampleId("company/prairie"),
  legalName: "Prairie Supply Inc.",
  address: {
    lines: ["2100 Market Street", "Suite 400"],
    postalCode: "80205",
    city: "Denver",
    region: "CO",
    countryCode: "US",
  },
  taxIds: [{ label: "EIN", value: "84-1234567" }],
  bic: "CHASUS33",
  bankName: "Chase, Denver",
  currency: "USD",
  timeZone: "America/Denver",
  email: "hello@prairie.example",
  phone: "+1 303 555 0147",
  website: "https://prairie.example",
  mailFromName: "Prairie Supply Billing",
  mailFromAddress: "billing@prairie.example",
  numberPrefix: "PS-",
};

export const sampleCompanies: readonly SampleCompany[] = [nordlicht, prairie];
