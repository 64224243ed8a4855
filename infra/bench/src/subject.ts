import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Sample } from "./interleave.ts";

/** One side of a comparison, in a process of its own. */
export interface Subject extends AsyncDisposable {
  readonly pid: number;
  /** Have it do something, and hear what it measured of itself. @throws with its words if it fails */
  ask(command: string, settings?: object): Promise<Sample>;
}

type Reply = { readonly sample: Sample } | { readonly error: string };

export async function startSubject(
  program: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Subject> {
  const child = fork(join(import.meta.dirname, "../subjects", `${program}.ts`), {
    env,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  await once(child, "spawn");
  child.on("error", () => {}); // its end is told to whoever asks it something
  return {
    pid: child.pid ?? 0,
    ask(command, settings = {}) {
      const sample = replyOf(child, program).then((reply) => {
        if ("error" in reply) throw new Error(`${program} could not ${command}: ${reply.error}`);
        return reply.sample;
      });
      if (child.connected) child.send({ command, settings });
      sample.catch(() => {}); // whoever awaits it later, hears of it then
      return sample;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL"); // it holds nothing that anybody needs
      await gone;
    },
  };
}

/** @throws if it ends instead of answering */
const replyOf = (child: ChildProcess, program: string): Promise<Reply> =>
  new Promise((resolve, reject) => {
    if (!child.connected) {
      reject(new Error(`${program} has ended`));
      return;
    }
    const onExit = (code: number | null, signal: string | null) => {
      child.off("message", onMessage);
      reject(new Error(`${program} ended with ${signal ?? `exit code ${code}`}`));
    };
    const onMessage = (message: unknown) => {
      child.off("exit", onExit);
      resolve(message as Reply);
    };
    child.once("message", onMessage).once("exit", onExit);
  });
