export interface MailHtmlRow {
  readonly label: string;
  readonly value: string;
}

/** The mail in plain text; every string is escaped here and nowhere else. */
export interface MailBody {
  readonly language: string;
  readonly title: string;
  readonly company: string;
  readonly greeting: string;
  readonly intro: string;
  readonly amount: MailHtmlRow;
  readonly rows: readonly MailHtmlRow[];
  readonly questions: string | undefined;
  readonly regards: string;
  readonly contact: readonly string[];
}

const FONT =
  "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/**
 * Set the mail in HTML: one column, no picture, no link, nothing to load, so nothing tells that it was
 * read. Colours stand in `style` attributes for programs that drop `<style>`; the classes turn them
 * dark where the reader's screen is.
 */
export const mailHtml = (body: MailBody): string => `<!doctype html>
<html lang="${escaped(body.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no">
<title>${escaped(body.title)}</title>
<style>
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #15181d !important; }
  .card { background: #1f242b !important; border-color: #343b45 !important; }
  .ink { color: #f0f2f5 !important; }
  .soft { color: #a7b0bd !important; }
  .rule { border-color: #343b45 !important; }
}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f3f4f6">
<table class="page" role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f4f6"><tr><td align="center" style="padding:32px 16px">
<table class="card" role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border:1px solid #e1e4e8;border-radius:10px;${FONT}">
<tr><td class="ink" style="padding:28px 32px 0;font-size:15px;font-weight:600;color:#15181d"><bdi>${escaped(body.company)}</bdi></td></tr>
<tr><td class="ink" style="padding:24px 32px 0;font-size:16px;line-height:1.5;color:#15181d">${escaped(body.greeting)}<br><br>${escaped(body.intro)}</td></tr>
<tr><td style="padding:24px 32px 0">
<div class="soft" style="font-size:13px;color:#5b6472">${escaped(body.amount.label)}</div>
<div class="ink" style="font-size:30px;line-height:1.25;font-weight:600;color:#15181d">${escaped(body.amount.value)}</div>
</td></tr>
<tr><td style="padding:20px 32px 0">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0">
${body.rows.map(row).join("\n")}
</table>
</td></tr>
<tr><td class="ink" style="padding:24px 32px 0;font-size:16px;line-height:1.5;color:#15181d">${body.questions === undefined ? "" : `${escaped(body.questions)}<br><br>`}${escaped(body.regards)}<br><bdi>${escaped(body.company)}</bdi></td></tr>
<tr><td class="soft" style="padding:24px 32px 28px;font-size:13px;line-height:1.6;color:#5b6472">${body.contact.map(escaped).join(" · ")}</td></tr>
</table>
</td></tr></table>
</body>
</html>
`;

const row = ({ label, value }: MailHtmlRow): string =>
  `<tr><td class="soft rule" width="38%" style="padding:9px 12px 9px 0;border-top:1px solid #e1e4e8;font-size:14px;vertical-align:top;color:#5b6472;${FONT}">${escaped(label)}</td><td class="ink rule" style="padding:9px 0;border-top:1px solid #e1e4e8;font-size:14px;word-break:break-word;color:#15181d;${FONT}"><bdi>${escaped(value)}</bdi></td></tr>`;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (found) => ENTITIES[found] ?? "");
