/** SQLSTATE classes that blame the value: data exception, integrity constraint, program limit exceeded. */
const BLAMES_THE_VALUE = /^(22|23|54)[0-9A-Z]{3}$/;

/**
 * Whether an error says that a value can never be stored, whoever tries and whenever: a BigInt or a
 * circle in JSON, a text PostgreSQL refuses, a number out of range.
 */
export const isUnstorable = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  (error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    BLAMES_THE_VALUE.test(error.code));
