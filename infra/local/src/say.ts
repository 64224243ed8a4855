/** Tell the person at the terminal. On stderr: stdout belongs to the one JSON line of `--json`. */
export function say(text: string): void {
  for (const line of text.split("\n")) console.error(`[local] ${line}`);
}

/** The message of anything thrown. */
export const reasonOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);
