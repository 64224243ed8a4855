import type { Log } from "@ballast/jobs";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly values: object;
  readonly message: string;
}

/** A log that keeps what it is told. */
export function keptLog(): Log & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine["level"]) => (values: object, message: string) =>
    void lines.push({ level, values, message });
  const log = {
    lines,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => log,
  };
  return log;
}
