// A service whose main is chosen by its first argument; started as a process of its own by tests.
import { once } from "node:events";
import { createServer } from "node:net";
import { z } from "zod";
import {
  ConfigError,
  readEnv,
  runService,
  serviceConfig,
  serviceEnv,
  type Telemetry,
} from "../../src/index.ts";

type Main = (telemetry: Telemetry) => Promise<void>;

const stopped = async ({ stopping }: Telemetry) => {
  if (!stopping.aborted) await once(stopping, "abort");
};
const never = () => new Promise<void>(() => void setInterval(() => undefined, 60_000));

const mains: Record<string, Main> = {
  "returns-at-once": async () => undefined,
  "works-until-told": async (telemetry) => {
    telemetry.readiness("store", async () => undefined);
    telemetry.log.info("main running");
    await stopped(telemetry);
    telemetry.log.info("main closing");
  },
  "never-ends": async ({ log }) => {
    log.info("main running");
    await never();
  },
  "slow-to-close": async (telemetry) => {
    telemetry.readiness("store", async () => undefined);
    telemetry.log.info("main running");
    await stopped(telemetry);
    await never();
  },
  "waits-for-the-signal": async ({ log, stopping }) => {
    log.info("main running");
    await new Promise((_, reject) => {
      const timer = setInterval(() => undefined, 60_000);
      stopping.addEventListener("abort", () => {
        clearInterval(timer);
        reject(stopping.reason);
      });
    });
  },
  throws: async () => {
    throw new Error("no answer from anna@example.com");
  },
  "finds-its-settings-bad": async () => {
    throw Object.assign(new Error("QUEUE_URL: redis://u:hunter22@host would drop jobs"), {
      badConfig: true,
    });
  },
  "throws-nothing": async () => {
    throw undefined;
  },
  "leaves-a-server-open": async () => {
    await once(createServer().listen(0, "127.0.0.1"), "listening");
  },
  "ends-a-span": async ({ tracer }) => {
    tracer?.begin({ name: "last", kind: "internal" }).end();
  },
  "crashes-in-a-span": async ({ tracer, onFatal }) => {
    const span = tracer?.begin({ name: "last", kind: "internal" });
    onFatal(() => span?.end());
    setTimeout(() => {
      throw new Error("boom");
    });
    await never();
  },
  "exception-nobody-catches": async ({ log, onFatal }) => {
    onFatal((error) => log.info({ reason: error }, "hook ran"));
    onFatal(async () => {
      throw new Error("hook broke");
    });
    onFatal(async () => log.info("later hook ran"));
    setTimeout(() => {
      throw new Error("boom");
    });
    await never();
  },
  "rejection-nobody-catches": async ({ log, onFatal }) => {
    onFatal(() => void log.info("hook ran"));
    void Promise.reject(new Error("boom"));
    await never();
  },
  "hook-that-throws-elsewhere": async ({ log, onFatal }) => {
    onFatal(async () => {
      log.info("hook ran");
      const late = once(process, "uncaughtException");
      setTimeout(() => {
        throw new Error("wake");
      });
      await late;
    });
    setTimeout(() => {
      throw new Error("boom");
    });
    await never();
  },
  "hook-that-hangs": async ({ onFatal }) => {
    onFatal(never);
    setTimeout(() => {
      throw new Error("boom");
    });
    await never();
  },
};

await runService(
  "test-service",
  () => {
    if (process.argv[2] === "config-breaks") throw new Error("broken reader");
    if (process.argv[2] === "config-refused") throw new ConfigError(["ONE is bad", "TWO is bad"]);
    const env = readEnv(z.object({ ...serviceEnv, GREETING: z.string().optional() }), process.env);
    return serviceConfig(env);
  },
  async ({ telemetry }) => mains[process.argv[2] ?? ""]?.(telemetry),
);
