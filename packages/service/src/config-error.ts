/** The settings of a process cannot be used; `problems` has one line for each bad variable. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  /** @param problems lines that name the variable and the remedy, never its value */
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}
