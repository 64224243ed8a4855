import { expect, test } from "vitest";
import { excessOf } from "../src/memory-watch.ts";
import { memoryError } from "../src/print-errors.ts";

const browser = { pid: 1, privateMb: 500, isRenderer: false };
const eater = { pid: 2, privateMb: 400, isRenderer: true };
const innocent = { pid: 3, privateMb: 80, isRenderer: true };
const all = [browser, innocent, eater];

test("within its limit a browser keeps all its renderers", () => {
  expect(excessOf(all, 980, undefined)).toBeUndefined();
});

test("beyond it the fattest renderer goes, never the browser itself", () => {
  expect(excessOf(all, 979, undefined)).toEqual({ memoryMb: 980, renderer: eater });
  expect(excessOf([browser], 100, undefined)).toBeUndefined();
});

test("a renderer that is slow to die takes no other with it", () => {
  const dying = { ...eater, isRenderer: false }; // a dying process has no command line
  expect(excessOf([browser, innocent, dying], 100, eater.pid)).toBeUndefined();
});

test("what still holds too much once it is gone is somebody else's", () => {
  const gone = { ...eater, privateMb: 0 };
  expect(excessOf([browser, innocent, gone], 100, eater.pid)?.renderer).toBe(innocent);
});

test("who held most of the limit is never printed again; who held less was unlucky, and is", () => {
  const excess = { memoryMb: 980, renderer: eater };
  expect(memoryError(excess, 799)).toMatchObject({ code: "print_memory_exceeded" });
  expect(memoryError(excess, 801)).toMatchObject({ code: "print_memory_shared" });
});
