#!/usr/bin/env node
/**
 * `prepare-engine`, with which `migrate` of every image ends: BullMQ's own tables, where `QUEUE_URL`, or the file that
 * `QUEUE_URL_FILE` names, is PostgreSQL. Redis needs nothing.
 */
import { readFileSync } from "node:fs";
import { prepareEngine } from "./engine/postgres.ts";

const { QUEUE_URL: url, QUEUE_URL_FILE: file } = process.env;
const isPrepared = await prepareEngine(url || (file ? readFileSync(file, "utf8").trim() : ""));
if (isPrepared) console.log("the queue engine's tables are up to date");
