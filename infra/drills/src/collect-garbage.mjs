// Loaded into a service before its own code: it collects its garbage when told by SIGUSR2, so that what is left is
// what it holds on to.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
// As when memory runs out: what has grown to make room for garbage shrinks too.
process.on("SIGUSR2", () => collect({ type: "major", execution: "sync", flavor: "last-resort" }));
