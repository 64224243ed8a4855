import fc from "fast-check";
import { expect, test } from "vitest";
import { parseQueueUrl, QueueUrlError } from "../src/engine/queue-url.ts";

const one = { kind: "redis", topology: "standalone", db: 0 };

test.each([
  ["redis://localhost", { ...one, nodes: [{ host: "localhost", port: 6_379 }] }],
  ["redis://[::1]:7000/3", { ...one, db: 3, nodes: [{ host: "::1", port: 7_000 }] }],
  [
    "rediss://ballast:p%40ss%2F@redis.example.org:6380",
    {
      ...one,
      username: "ballast",
      password: "p@ss/",
      nodes: [{ host: "redis.example.org", port: 6_380 }],
      tls: {},
    },
  ],
  [
    "redis+sentinel://:secret@s1,s2:26380/orders/1?sentinelPassword=other",
    {
      ...one,
      topology: "sentinel",
      master: "orders",
      db: 1,
      password: "secret",
      sentinelPassword: "other",
      nodes: [
        { host: "s1", port: 26_379 },
        { host: "s2", port: 26_380 },
      ],
    },
  ],
  [
    "rediss+cluster://n1:1,n2:2",
    {
      ...one,
      topology: "cluster",
      tls: {},
      nodes: [
        { host: "n1", port: 1 },
        { host: "n2", port: 2 },
      ],
    },
  ],
  ["postgres://u:p@h/d", { kind: "postgres", url: "postgres://u:p@h/d" }],
  [
    "postgres://u:p@/d?host=/run/postgresql",
    { kind: "postgres", url: "postgres://u:p@/d?host=/run/postgresql" },
  ],
])("%s", (url, address) => {
  expect(parseQueueUrl(url)).toEqual(address);
});

test.each([
  ["amqp://host", 'has the scheme "amqp": use redis://'],
  ["localhost:6379", 'has the scheme "none"'],
  ["redis://user:p@ss@host", "%40 for @"],
  ["redis://user:p/ss@host", "%2F for /"],
  ["redis://host/zero", "does not end in a database number, e.g. /0"],
  ["redis://one,two", "names several hosts"],
  ["redis://host:port", "names a host that is none"],
  ["redis+sentinel://s1,s2", "does not say what its sentinels call the master"],
  ["redis+cluster://n1/1", "a cluster has database 0 alone"],
  ["redis://host?tls=1", "has a parameter that means nothing there"],
  ["redis://host?sentinelPassword=x", "has a parameter that means nothing there"],
  ["rediss://host?ca=/nowhere.pem", "ca=/nowhere.pem, which cannot be read (ENOENT)"],
  ["redis://:100%@host", "write it as %25"],
  ["postgres://user:p/ss@host/db", "%2F for /"],
  ["postgres://host:port/db", "is no postgres:// address"],
])("%s is refused, and the error says what to write", (url, why) => {
  expect(() => parseQueueUrl(url)).toThrow(QueueUrlError);
  expect(() => parseQueueUrl(url)).toThrow(why);
});

test("no error holds a password, however the address is torn", () => {
  const password = fc
    .string({ unit: fc.constantFrom(..."ab/?@:%,[]#&=+") })
    .map((s) => `xyzzy${s}xyzzy`);
  const scheme = fc.constantFrom("redis", "rediss", "redis+sentinel", "redis+cluster", "postgres");
  const tail = fc.constantFrom("@host", "@host:1/m/0", "@h1,h2/m", "");
  fc.assert(
    fc.property(scheme, password, tail, (name, secret, end) => {
      try {
        parseQueueUrl(`${name}://user:${secret}${end}`);
      } catch (error) {
        expect((error as Error).message).not.toContain("xyzzy");
      }
    }),
  );
});
