/** An admin URL of the PostgreSQL that tests may make databases in. `npm test` sets it. */
export function testPostgresUrl(): string {
  const url = process.env["BALLAST_TEST_POSTGRES_URL"];
  if (url === undefined || url === "")
    throw new Error(
      "BALLAST_TEST_POSTGRES_URL is not set: run `npm test`, or give it postgres://user:password@host:port/postgres",
    );
  return url;
}

/** The Redis that tests may write to; `undefined` where none is installed. */
export const testRedisUrl = (): string | undefined =>
  process.env["BALLAST_TEST_REDIS_URL"] || undefined;
