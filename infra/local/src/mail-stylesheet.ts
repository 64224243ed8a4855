/** One sheet for both pages of the mail catcher; follows the system's light or dark. */
export const mailStylesheet = `
:root { color-scheme: light dark; --line: light-dark(#e3e5ea, #33363d); --quiet: light-dark(#667085, #98a1b3);
  --card: light-dark(#fff, #1c1e23); --accent: light-dark(#1f5fbf, #86b4ff); }
* { box-sizing: border-box; }
body { margin: 0; background: light-dark(#f5f6f8, #131418); color: light-dark(#1a1d23, #e8eaee);
  font: 15px/1.5 system-ui, "Noto Sans", "Open Sans", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
header p { margin: 0 0 1rem; color: var(--quiet); }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h1 small { font-size: 1rem; font-weight: 400; color: var(--quiet); }
h2 { font-size: .8rem; text-transform: uppercase; letter-spacing: .06em; color: var(--quiet); margin: 1.75rem 0 .5rem; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
.mails { list-style: none; margin: 0; padding: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.mails li + li { border-top: 1px solid var(--line); }
.mail { display: grid; grid-template-columns: 15rem 1fr auto 4.5rem; gap: 1rem; align-items: center; padding: .7rem 1rem; color: inherit; }
.mail:hover { background: color-mix(in srgb, var(--accent) 8%, transparent); text-decoration: none; }
.who, .what, .preview { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.what { display: grid; } .what b { font-weight: 600; overflow: hidden; text-overflow: ellipsis; }
.preview, time { color: var(--quiet); font-size: .85rem; } time { text-align: end; font-variant-numeric: tabular-nums; }
.chip { display: inline-block; padding: .1rem .6rem; border: 1px solid var(--line); border-radius: 99px; font-size: .85rem; background: var(--card); }
.chip small { color: var(--quiet); }
.empty { padding: 3rem; text-align: center; color: var(--quiet); background: var(--card); border: 1px dashed var(--line); border-radius: 10px; }
dl { display: grid; grid-template-columns: 7rem 1fr; gap: .25rem 1rem; margin: 1rem 0; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
iframe { width: 100%; height: 34rem; border: 1px solid var(--line); border-radius: 10px; background: #fff; color-scheme: light; }
pre { margin: 0; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; font: 13px/1.5 ui-monospace, monospace; }
details { margin-top: 1.75rem; } summary { cursor: pointer; color: var(--quiet); margin-bottom: .5rem; }
@media (max-width: 45rem) { .mail { grid-template-columns: 1fr auto; } .clip { display: none; } .what { grid-column: 1 / -1; grid-row: 2; } }
`;
