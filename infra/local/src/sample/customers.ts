import { nordlicht, prairie, type SampleAddress } from "./companies.ts";
import { sampleId } from "./identity.ts";

/** As `PUT /v1/customers/{id}` takes it, and the currency its invoices are in. */
export interface SampleCustomer {
  readonly id: string;
  readonly companyId: string;
  readonly name: string;
  readonly address: SampleAddress;
  readonly email: string;
  readonly locale: string;
  readonly taxId?: string;
  readonly currency: string;
}

/** key | name | street | postal code | city | region | country | locale | currency | tax id */
const german = `
mueller   | Müller & Söhne KG          | Industriestraße 7        | 70565    | Stuttgart   |  | DE | de-DE | EUR | DE811907980
alpenhof  | Alpenhof Gastro GmbH       | Getreidegasse 21         | 5020     | Salzburg    |  | AT | de-AT | EUR | ATU12345675
zuerisee  | Zürisee Werkzeuge AG       | Seestrasse 88            | 8002     | Zürich      |  | CH | de-CH | CHF | CHE-116.281.710 MWST
lumiere   | Ateliers Lumière SARL      | 14 rue des Écoles        | 75005    | Paris       |  | FR | fr-FR | EUR | FR83404833048
garonne   | Outillage de la Garonne SA | 3 quai des Chartrons     | 33000    | Bordeaux    |  | FR | fr-FR | EUR | FR40303265045
iberica   | Ferretería Ibérica S.L.    | Calle de Alcalá 45       | 28014    | Madrid      |  | ES | es-ES | EUR | ESB58378431
costa     | Costa Brava Náutica S.A.   | Passeig Marítim 2        | 17220    | Sant Feliu de Guíxols | Girona | ES | es-ES | EUR | ESA15075062
thames    | Thames & Tyne Ltd          | 22 Wharf Road            | N1 7GR   | London      |  | GB | en-GB | GBP | GB980780684
highland  | Highland Timber Co.        | 5 Mill Lane              | IV2 3EB  | Inverness   |  | GB | en-GB | GBP | GB286543210
dubhlinn  | Ó Ceallaigh Engineering    | 9 Sráid an Dáma          | D02 X285 | Baile Átha Cliath | | IE | en-GB | EUR | IE6388047V
oslo      | Fjord Maskin AS            | Kirkegata 15             | 0153     | Oslo        |  | NO | en-GB | EUR | NO 974 760 673 MVA
warszawa  | Żółw i Łoś sp. z o.o.      | ul. Świętokrzyska 18     | 00-052   | Warszawa    |  | PL | en-GB | EUR | PL5260001246
praha     | Příbram Šroubárna s.r.o.   | Žitná 33                 | 110 00   | Praha 1     |  | CZ | en-GB | EUR | CZ25123891
athina    | Αφοί Παπαδόπουλοι ΑΕ       | Οδός Ερμού 56            | 105 63   | Αθήνα       |  | GR | en-GB | EUR | EL094259216
kuwait    | شركة الخليج للتجارة العامة   | شارع فهد السالم ١٢         | 13001    | مدينة الكويت  |  | KW | en-GB | KWD |
dubai     | مؤسسة النور للمعدات          | شارع الشيخ زايد            | 00000    | دبي         |  | AE | en-GB | USD | 100123456700003
telaviv   | כלי עבודה השרון בע״מ         | שדרות רוטשילד 40           | 6688310  | תל אביב     |  | IL | en-GB | EUR | 514321987
tokyo     | 株式会社東京精密工具          | 丸の内1丁目9番1号          | 100-0005 | 東京都千代田区 |  | JP | en-GB | JPY | T1234567890123
`;

const american = `
rockies   | Rockies Outdoor LLC        | 1600 Pearl Street        | 80302    | Boulder     | CO | US | en-US | USD |
lonestar  | Lone Star Fabrication      | 4400 Commerce Street     | 75226    | Dallas      | TX | US | en-US | USD |
bayarea   | Bay Area Makers Co-op      | 855 Folsom Street        | 94107    | San Francisco | CA | US | en-US | USD |
oreilly   | O'Reilly's "Iron" & Sons   | 12 Broad Street          | 02109    | Boston      | MA | US | en-US | USD |
maple     | Maple Ridge Tools Ltd.     | 200 King Street West     | M5H 3T4  | Toronto     | ON | CA | en-US | USD | 123456789 RT0001
monterrey | Tornillería del Norte S.A. de C.V. | Av. Constitución 400 | 64000 | Monterrey   | N.L. | MX | es-ES | USD | TNO990101AB1
bogota    | Ferretería Andina S.A.S.   | Carrera 7 # 71-21        | 110231   | Bogotá      |  | CO | es-ES | USD | 900.123.456-7
shanghai  | 上海浦东机械有限公司          | 世纪大道100号             | 200120   | 上海        |  | CN | en-US | USD | 91310000MA1FL00X0T
osaka     | 大阪ねじ工業株式会社          | 北区梅田3-1-3             | 530-0001 | 大阪市       |  | JP | en-US | JPY | T9876543210987
seoul     | 한강기계 주식회사             | 세종대로 110              | 04524    | 서울특별시     |  | KR | en-US | USD | 120-81-47521
geneve    | Horlogerie du Léman SA     | Rue du Rhône 30          | 1204     | Genève      |  | CH | fr-FR | CHF | CHE-105.962.244 TVA
jeddah    | شركة البحر الأحمر للصناعة    | طريق المدينة               | 21589    | جدة         |  | SA | en-US | USD | 300012345600003
`;

function read(companyId: string, table: string): SampleCustomer[] {
  return table
    .trim()
    .split("\n")
    .map((row) => {
      const [key = "", name = "", street = "", postalCode = "", city = "", ...rest] = row
        .split("|")
        .map((cell) => cell.trim());
      const [region = "", countryCode = "", locale = "", currency = "", taxId = ""] = rest;
      return {
        id: sampleId(`customer/${key}`),
        companyId,
        name,
        address: { lines: [street], postalCode, city, ...(region && { region }), countryCode },
        email: `invoices@${key}.example`,
        locale,
        ...(taxId && { taxId }),
        currency,
      };
    });
}

/** 30 customers of 21 countries; names in Latin, Greek, Arabic, Hebrew, Chinese, Japanese and Korean. */
export const sampleCustomers: readonly SampleCustomer[] = [
  ...read(nordlicht.id, german),
  ...read(prairie.id, american),
];
