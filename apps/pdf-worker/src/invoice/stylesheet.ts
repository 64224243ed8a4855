import { cssString } from "./markup.ts";

/** What the sheet itself prints, on every page but the text's own place. */
export interface PageFurniture {
  /** `A4` or `Letter`. */
  readonly paper: string;
  /** `font-family` stack. */
  readonly fonts: string;
  /** Top left from page 2 on. */
  readonly runningTitle: string;
  /** Top right from page 2 on. */
  readonly runningNumber: string;
  /** Bottom left, e.g. the company's registration. */
  readonly footer: string;
  /** Bottom right, around the two counters: `Page {page} of {pages}`. */
  readonly pageOf: string;
}

/**
 * A row never splits, the table head comes again on each page, and a page holds about 24 rows: a
 * long invoice is read with a ruler, not skimmed.
 */
export const stylesheet = (page: PageFurniture): string => `
@page {
  size: ${page.paper};
  margin: 24mm 18mm 20mm 20mm;
  font-family: ${page.fonts};
  font-size: 7.5pt;
  color: #5b6470;
  @top-left { content: ${cssString(page.runningTitle)}; vertical-align: bottom; padding-bottom: 5mm; white-space: nowrap }
  @top-right { content: ${cssString(page.runningNumber)}; vertical-align: bottom; padding-bottom: 5mm; white-space: nowrap }
  @bottom-left { content: ${cssString(page.footer)}; vertical-align: top; padding-top: 6mm; white-space: nowrap }
  @bottom-right { content: ${pageCounters(page.pageOf)}; vertical-align: top; padding-top: 6mm; white-space: nowrap }
}
@page :first {
  margin-top: 16mm;
  @top-left { content: none }
  @top-right { content: none }
}
* { box-sizing: border-box; margin: 0; padding: 0 }
html { font: 400 9pt/1.45 ${page.fonts}; color: #1c2430; -webkit-print-color-adjust: exact }
body { font-kerning: normal; overflow-wrap: anywhere }
h1, h2, strong, th { font-weight: 700 }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums lining-nums }
.label { font-size: 7pt; line-height: 1.3; letter-spacing: .05em; text-transform: uppercase; color: #5b6470; font-weight: 400 }
.lines-of-text { white-space: pre-line }

.letterhead { display: flex; justify-content: space-between; gap: 12mm; padding-bottom: 5mm; border-bottom: .6mm solid #1f5c57 }
.letterhead .name { font-size: 15pt; line-height: 1.2; font-weight: 700; letter-spacing: -.01em; color: #1f5c57; max-width: 95mm }
.letterhead .contact { font-size: 7.75pt; line-height: 1.5; color: #5b6470; text-align: right; max-width: 70mm }

.parties { display: flex; justify-content: space-between; gap: 14mm; margin-top: 10mm }
.customer { max-width: 88mm; line-height: 1.5 }
.customer .name { font-weight: 700; font-size: 10pt }
.customer .label { margin-bottom: 1.2mm }
.facts { border-collapse: collapse; align-self: flex-start; font-size: 8.5pt }
.facts th { text-align: left; font-weight: 400; color: #5b6470; padding: .6mm 7mm .6mm 0; white-space: nowrap }
.facts td { text-align: right; padding: .6mm 0; font-variant-numeric: tabular-nums; max-width: 55mm }

h1 { font-size: 21pt; line-height: 1.15; font-weight: 400; letter-spacing: -.015em; margin-top: 10mm }
h1 strong { font-weight: 700 }
.due { margin: 1.5mm 0 8mm; font-size: 10pt; color: #5b6470 }
.due strong { color: #1c2430 }

.items { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: 8.75pt }
.items thead { display: table-header-group }
.items thead th { padding: 0 2mm 1.8mm; text-align: left; vertical-align: bottom; font-size: 7pt; line-height: 1.3; font-weight: 700; letter-spacing: .03em; color: #1f5c57; border-bottom: .3mm solid #1f5c57 }
.items thead th.number { text-align: right; white-space: normal }
.items tr { break-inside: avoid }
.items .end { break-inside: avoid }
.items > tbody > tr > td { height: 9.7mm; padding: 1.1mm 2mm; vertical-align: middle; line-height: 1.3; border-bottom: .15mm solid #dfe3e8 }
.items th:first-child, .items td:first-child { padding-left: 0 }
.items th:last-child, .items td:last-child { padding-right: 0 }
.items .position { color: #5b6470; text-align: left }
.items .sku { display: block; margin-top: .4mm; font-size: 7pt; color: #5b6470 }
.items .quantity { white-space: normal }

.items .closing > td { padding: 4mm 0 0; border: 0 }
.totals { margin-left: auto; min-width: 84mm; border-collapse: collapse }
.totals th { text-align: left; font-weight: 400; color: #5b6470; padding: .9mm 10mm .9mm 0 }
.totals td { padding: .9mm 0; white-space: nowrap }
.totals .grand th, .totals .grand td { padding-top: 2.2mm; border-top: .3mm solid #1f5c57; font-size: 12pt; font-weight: 700; color: #1c2430 }
.totals tr:nth-last-child(2) > * { padding-bottom: 2.2mm }

.payment { display: flex; gap: 14mm; margin-top: 9mm; padding-top: 4mm; border-top: .15mm solid #c9d0d8; break-inside: avoid; font-size: 8.5pt }
.payment > * { flex: 1 }
.payment h2, .notes h2 { break-after: avoid; margin-bottom: 1.6mm; font-size: 9pt }
.payment p + h2 { margin-top: 4mm }
.bank { border-collapse: collapse }
.bank th { text-align: left; font-weight: 400; color: #5b6470; padding: .3mm 5mm .3mm 0; vertical-align: top; white-space: nowrap }
.bank td { font-variant-numeric: tabular-nums }
.iban { white-space: nowrap }
.notes { margin-top: 8mm; font-size: 8.5pt }
`;

function pageCounters(pageOf: string): string {
  return pageOf
    .split(/(\{pages?\})/)
    .map((part) => {
      if (part === "{page}") return "counter(page)";
      if (part === "{pages}") return "counter(pages)";
      return cssString(part);
    })
    .join(" ");
}
