import { mkdir, mkdtemp, readdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { InvalidObjectKeyError, ObjectNotFoundError, openObjectStore } from "../src/index.ts";
import { objectStoreSuite } from "./object-store.suite.ts";

const pdf = { contentType: "application/pdf" };
const body = new TextEncoder().encode("x");

async function setup() {
  const parent = await mkdtemp(join(tmpdir(), "ballast-files-"));
  const root = join(parent, "documents");
  const open = () => openObjectStore(pathToFileURL(root).href);
  return {
    parent,
    root,
    open,
    store: await open(),
    goDown: () => rename(root, join(parent, "unmounted")),
    incoming: () => readdir(join(root, "~incoming")),
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true }),
  };
}

objectStoreSuite("files", setup);

test("an object lies where its key says, and nothing else is left", async () => {
  await using t = await setup();
  await t.store.put("invoices/1.pdf", body, pdf);
  expect(await readdir(join(t.root, "invoices"))).toEqual(["1.pdf"]);
  expect(await t.incoming()).toEqual([]);
});

test("a write that fails or is aborted leaves no file behind", async () => {
  await using t = await setup();
  const stop = new AbortController();
  const large = new Uint8Array(5 * 1024 * 1024);
  const writing = t.store.put("a", large, { ...pdf, signal: stop.signal });
  stop.abort();
  await expect(writing).rejects.toThrow();
  await t.store.put("taken", body, pdf);
  await expect(t.store.put("taken/below", body, pdf)).rejects.toThrow();

  expect(await t.incoming()).toEqual([]);
});

test("what a dead writer left is removed at the next opening, a living one's file is not", async () => {
  await using t = await setup();
  const old = join(t.root, "~incoming/old");
  await writeFile(old, "half");
  await writeFile(join(t.root, "~incoming/fresh"), "half");
  await utimes(old, new Date(), new Date(Date.now() - 2 * 3_600_000));

  await t.open();

  expect(await t.incoming()).toEqual(["fresh"]);
});

test("a segment may be as long as a file's name", async () => {
  await using t = await setup();
  await t.store.put("a".repeat(255), body, pdf);
  expect(await t.store.stat("a".repeat(255))).toEqual({ sizeBytes: 1 });
});

test("an object cannot be a folder of others, nor the other way round", async () => {
  await using t = await setup();
  await t.store.put("a/b", body, pdf);
  await expect(t.store.put("a", body, pdf)).rejects.toThrow(InvalidObjectKeyError);
  await expect(t.store.put("a/b/c", body, pdf)).rejects.toThrow(InvalidObjectKeyError);
});

test("a symbolic link leads nowhere: not to a file, not through a folder", async () => {
  await using t = await setup();
  const outside = join(t.parent, "outside");
  await mkdir(outside);
  await writeFile(join(outside, "secret"), "hunter22");
  await symlink(outside, join(t.root, "folder"));
  await symlink(join(outside, "secret"), join(t.root, "file"));

  for (const key of ["folder/secret", "file"]) {
    await expect(t.store.get(key)).rejects.toThrow(ObjectNotFoundError);
    expect(await t.store.stat(key)).toBeUndefined();
    await t.store.delete(key);
  }
  await expect(t.store.put("folder/new", body, pdf)).rejects.toThrow(InvalidObjectKeyError);
  await t.store.put("file", body, pdf); // takes the link's place
  expect(await t.store.stat("file")).toEqual({ sizeBytes: 1 });
  expect(await readdir(outside)).toEqual(["secret"]);
});

test("a folder that cannot be made is bad configuration, and named", async () => {
  await using t = await setup();
  await t.store.put("file", body, pdf);
  const url = pathToFileURL(join(t.root, "file/documents")).href;

  const refusal = await openObjectStore(url).catch((error: unknown) => error);

  expect(refusal).toMatchObject({
    badConfig: true,
    message: expect.stringMatching(/documents cannot be used \(ENOTDIR\)/),
  });
});
