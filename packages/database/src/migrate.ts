#!/usr/bin/env node
import { migrate } from "./migrator.ts";

const url = process.env["DATABASE_URL"];
if (url === undefined || url === "") {
  console.error("DATABASE_URL is not set: give it postgres://user:password@host:port/database");
  process.exit(78);
}
const applied = await migrate(url);
console.log(applied.length === 0 ? "schema is up to date" : `applied ${applied.join(", ")}`);
