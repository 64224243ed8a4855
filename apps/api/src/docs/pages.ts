import { PROBLEMS } from "../http/problem.ts";

const page = (title: string, main: string, scripts = "") => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<header>
<a class="brand" href="/docs"><strong>Ballast</strong> <span>background jobs that stay upright</span></a>
<nav><a href="/docs">API</a> <a href="/problems">Problems</a> <a href="/openapi.json">openapi.json</a></nav>
</header>
<main>
${main}
</main>
${scripts}
</body>
</html>
`;

/** The page to read and try the API. */
export const docsHtml = () =>
  page(
    "Ballast API",
    `<p class="hint">Press <b>Authorize</b> and paste an API key (<code>bk_…</code>): every request below can then be tried on this server.</p>
<div id="api"><noscript>This page needs JavaScript; <a href="/openapi.json">openapi.json</a> does not.</noscript></div>`,
    `<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>`,
  );

/** Every refusal: what it means and what to do. */
export const problemsHtml = () =>
  page(
    "Ballast API: problems",
    `<article class="problems">
<h1>Problems</h1>
<p>Every answer with a status from 400 up is <code>application/problem+json</code> as
<a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a> has it. <code>type</code> leads to one of these rows,
<code>detail</code> says what failed, <code>errors</code> names every bad field by its path and the bound it crossed.</p>
<table>
<thead><tr><th>Status</th><th>Type</th><th>Meaning</th><th>What to do</th></tr></thead>
<tbody>
${Object.entries(PROBLEMS)
  .map(
    ([code, { status, title, remedy }]) =>
      `<tr id="${code}"><td>${status}</td><td><a href="#${code}"><code>${code}</code></a></td><td>${title}</td><td>${marked(remedy)}</td></tr>`,
  )
  .join("\n")}
</tbody>
</table>
</article>`,
  );

const marked = (text: string) => text.replaceAll(/`([^`]+)`/g, "<code>$1</code>");
