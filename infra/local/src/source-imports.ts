/** One import of a source file, as it is written. */
export interface SourceImport {
  readonly specifier: string;
  /** Gone at run time: `import type` or `export type`. */
  readonly typeOnly: boolean;
  readonly line: number;
}

const statement =
  /^[ \t]*(import|export)\b(\s+type\b(?!\s+from\b))?[^;"'`]*?\bfrom\s*["']([^"']+)["']/gm;
const bare = /^[ \t]*import\s*["']([^"']+)["']/gm;
const dynamic = /\bimport\s*\(\s*["']([^"']+)["']/g;

/** Every import of a TypeScript file: static, re-exported, for its effect, and dynamic. */
export function importsOf(text: string): SourceImport[] {
  const lineAt = (index: number) => text.slice(0, index).split("\n").length;
  const found = [
    ...[...text.matchAll(statement)].map((m) => ({
      specifier: m[3] ?? "",
      typeOnly: m[2] !== undefined,
      line: lineAt(m.index + m[0].length),
    })),
    ...[...text.matchAll(bare), ...text.matchAll(dynamic)].map((m) => ({
      specifier: m[1] ?? "",
      typeOnly: false,
      line: lineAt(m.index),
    })),
  ];
  return found.sort((a, b) => a.line - b.line);
}
