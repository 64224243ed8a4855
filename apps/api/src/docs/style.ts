/** Ours, after Swagger UI's own. Fonts are the reader's: nothing is fetched from elsewhere. */
export const PAGE_CSS = `:root {
  --ink: #14202b; --soft: #55636f; --paper: #f6f7f9; --card: #fff; --edge: #dde3e8; --accent: #0b6e6e;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono", monospace;
}
html { scroll-padding-top: 4.5rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 var(--sans); }
header {
  position: sticky; top: 0; z-index: 10; display: flex; justify-content: space-between; align-items: center;
  gap: 1rem; padding: .8rem 1.5rem; background: var(--ink); color: #fff;
}
header a { color: inherit; text-decoration: none; }
header .brand strong { font-size: 1.15rem; letter-spacing: .01em; }
header .brand span { color: #b6c4cf; margin-left: .5rem; }
header nav { display: flex; gap: 1.25rem; }
header nav a:hover, header nav a:focus-visible { text-decoration: underline; text-underline-offset: .3em; }
main { max-width: 1200px; margin: 0 auto; padding: 1.5rem; }
.hint { margin: 0 0 1rem; padding: .75rem 1rem; background: #e7f3f2; border-left: 4px solid var(--accent); border-radius: 4px; }
code { font-family: var(--mono); font-size: .9em; }

.problems a { color: var(--accent); }
.problems table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--edge); }
.problems th, .problems td { padding: .6rem .8rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--edge); }
.problems th { font-size: .85rem; color: var(--soft); }
.problems tr:target { background: #e7f3f2; }

.swagger-ui, .swagger-ui .info .title, .swagger-ui .opblock-tag, .swagger-ui .opblock .opblock-summary-description,
.swagger-ui table thead tr td, .swagger-ui table thead tr th, .swagger-ui .btn, .swagger-ui label,
.swagger-ui .parameter__name, .swagger-ui .response-col_status, .swagger-ui .tab li, .swagger-ui .dialog-ux h3,
.swagger-ui .dialog-ux h4, .swagger-ui section h3, .swagger-ui .download-contents { font-family: var(--sans); color: var(--ink); }
.swagger-ui .opblock .opblock-summary-path, .swagger-ui .opblock .opblock-summary-path__deprecated, .swagger-ui pre,
.swagger-ui pre *, .swagger-ui textarea, .swagger-ui .parameter__type, .swagger-ui .parameter__in, .swagger-ui .model,
.swagger-ui .model-title, .swagger-ui .prop-type, .swagger-ui .dialog-ux code { font-family: var(--mono); font-weight: 500; }
.swagger-ui .download-contents { color: #fff; }
.swagger-ui .wrapper { padding: 0; }
.swagger-ui .info { margin: 1rem 0; }
.swagger-ui .info .link, .swagger-ui .info__license { display: none; }
.swagger-ui .info .markdown p, .swagger-ui .info .renderedMarkdown p { margin: 0 0 .8rem; }
.swagger-ui .info p, .swagger-ui .info li { font-size: 15px; line-height: 1.6; max-width: 70ch; }
.swagger-ui .info p code, .swagger-ui .markdown code, .swagger-ui .renderedMarkdown code {
  background: #e9eef2; color: var(--ink); padding: .1em .35em; border-radius: 3px; font-weight: 500; }
.swagger-ui .scheme-container { background: none; box-shadow: none; padding: 0 0 1rem; }
.swagger-ui .schemes > label, .swagger-ui .servers-title, .swagger-ui .scheme-container .servers { display: none; }
.swagger-ui .opblock { box-shadow: none; border-radius: 6px; }
.swagger-ui .opblock .opblock-summary-method { border-radius: 4px; min-width: 74px; }
.swagger-ui .opblock-tag { border-bottom: 1px solid var(--edge); font-size: 1.15rem; }
.swagger-ui .btn.authorize { border-color: var(--accent); color: var(--accent); }
.swagger-ui .btn.authorize svg { fill: var(--accent); }
.swagger-ui .btn.execute { background: var(--accent); border-color: var(--accent); color: #fff; }
@media (max-width: 640px) { header .brand span { display: none; } main { padding: 1rem; } }
`;
