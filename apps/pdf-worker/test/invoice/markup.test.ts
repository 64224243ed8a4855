import fc from "fast-check";
import { expect, test } from "vitest";
import { cssString, escapeHtml, html, htmlText } from "../../src/invoice/markup.ts";

test("what is interpolated is escaped, and markup within markup is not escaped twice", () => {
  const inner = html`<b>${"<i>"}</b>`;

  expect(htmlText(html`<p title="${'"x"'}">${[inner, "&"]}${undefined}${false}</p>`)).toBe(
    '<p title="&quot;x&quot;"><b>&lt;i&gt;</b>&amp;</p>',
  );
});

test("no text leaves the element or the attribute it stands in", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(escapeHtml(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
    }),
  );
});

test("what turns the direction of its neighbours around is dropped", () => {
  expect(escapeHtml("12\u202e34\u0000\u2066.")).toBe("1234\u2066.");
});

test("no text leaves a CSS string or its style element", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const quoted = cssString(text);
      expect(quoted.slice(1, -1).replaceAll(/\\[0-9a-f]+ /g, "")).not.toMatch(/["\\<>\n\r\f]/);
    }),
  );
});
