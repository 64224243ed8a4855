import { describe, expect, test } from "vitest";
import { facesOf, loadFace } from "../../src/invoice/font-faces.ts";
import { FONTS } from "../../src/invoice/font-sheets.ts";
import { fontsFor } from "../../src/invoice/fonts.ts";

const families = (css: string) =>
  [...css.matchAll(/font-family:"([^"]+)";font-weight:(\d+)/g)].map(
    ([, family, weight]) => `${family} ${weight}`,
  );

describe("a document takes the fonts its characters need", () => {
  test.each([
    ["Latin", "Grüße, 12 €", ["Noto Sans 400"]],
    ["Arabic", "شركة", ["Vazirmatn 400"]],
    ["Hebrew", "שלום", ["Noto Sans Hebrew 400"]],
    ["Thai", "บริษัท", ["Noto Sans Thai 400"]],
    ["Han alone, as Chinese", "公司", ["Noto Sans SC 400"]],
    ["Han beside kana, as Japanese", "会社のこと", ["Noto Sans JP 400"]],
    ["Han beside Hangul, as Korean", "會社 안녕", ["Noto Sans KR 400"]],
  ])("%s", async (_, text, expected) => {
    const { css, stack, uncovered } = await fontsFor({ text, bold: "" });

    expect([...new Set(families(css))].filter((name) => name !== "Noto Sans 400")).toEqual(
      expected.filter((name) => name !== "Noto Sans 400"),
    );
    expect(stack).toContain(expected[0]?.slice(0, -4));
    expect(uncovered).toEqual([]);
  });
});

test("only the slices with characters of the document are taken", async () => {
  const all = await facesOf(FONTS.chinese, 400);
  const { css } = await fontsFor({ text: "公司", bold: "" });

  expect(all.length).toBeGreaterThan(90);
  expect(families(css).length).toBeLessThanOrEqual(2);
});

test("fonts are within the rules: nothing is left to load", async () => {
  const { css } = await fontsFor({ text: "Grüße 公司 شركة", bold: "Grüße" });

  expect([...css.matchAll(/url\(([^)]{5})/g)].map(([, start]) => start)).toEqual(
    families(css).map(() => "data:"),
  );
});

test("a face that is declared for a character but has no glyph of it is passed over", async () => {
  const hangul = "갑".codePointAt(0) ?? 0;
  const chinese = await facesOf(FONTS.chinese, 400);
  const claiming = chinese.filter((face) => face.claims(hangul));
  const loaded = await Promise.all(claiming.map(loadFace));

  expect(claiming).not.toEqual([]);
  expect(loaded.map(({ glyphs }) => glyphs.has(hangul))).toEqual(claiming.map(() => false));
  const { css } = await fontsFor({ text: "の갑", bold: "" });
  expect(families(css)).toContain("Noto Sans KR 400");
});

test("a character without a font is named", async () => {
  const { uncovered } = await fontsFor({ text: "A𒀀\u200b\n", bold: "" });

  expect(uncovered).toEqual(["𒀀"]);
});
