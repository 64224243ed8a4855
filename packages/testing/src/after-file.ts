/** Runs before each test file: what was kept for the file's own tests ends with it. */
import { afterAll } from "vitest";
import { disposeKept } from "./kept.ts";

afterAll(disposeKept);
