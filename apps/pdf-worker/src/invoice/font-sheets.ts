/** The style sheet of one font in each weight of the design. */
export interface FontSheets {
  readonly 400: string;
  readonly 700: string;
}

/** The fonts an invoice may use, by what they are for; all under the SIL Open Font License. */
export const FONTS = {
  latin: {
    400: import.meta.resolve("@fontsource/noto-sans/400.css"),
    700: import.meta.resolve("@fontsource/noto-sans/700.css"),
  },
  /**
   * Before Noto Sans Arabic, whose letters are a body and separate dots: a PDF made of those cannot be
   * searched or copied from, since readers see gaps inside words.
   */
  arabic: {
    400: import.meta.resolve("@fontsource/vazirmatn/400.css"),
    700: import.meta.resolve("@fontsource/vazirmatn/700.css"),
  },
  /** Letters of languages that Vazirmatn was not drawn for. */
  arabicRare: {
    400: import.meta.resolve("@fontsource/noto-sans-arabic/400.css"),
    700: import.meta.resolve("@fontsource/noto-sans-arabic/700.css"),
  },
  hebrew: {
    400: import.meta.resolve("@fontsource/noto-sans-hebrew/400.css"),
    700: import.meta.resolve("@fontsource/noto-sans-hebrew/700.css"),
  },
  thai: {
    400: import.meta.resolve("@fontsource/noto-sans-thai/400.css"),
    700: import.meta.resolve("@fontsource/noto-sans-thai/700.css"),
  },
  japanese: {
    400: import.meta.resolve("@fontsource/noto-sans-jp/400.css"),
    700: import.meta.resolve("@fontsource/noto-sans-jp/700.css"),
  },
  korean: {
    400: import.meta.resolve("@fontsource/noto-sans-kr/400.css"),
    700: import.meta.resolve("@fontsource/noto-sans-kr/700.css"),
  },
  chinese: {
    400: import.meta.resolve("@fontsource/noto-sans-sc/400.css"),
    700: import.meta.resolve("@fontsource/noto-sans-sc/700.css"),
  },
} satisfies Record<string, FontSheets>;
