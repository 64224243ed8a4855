import { writeSync } from "node:fs";
import { ConfigError } from "./config-error.ts";
import { EXIT, exitIfLingering, exitWhenUncaught, obeySignals } from "./exits.ts";
import { openLogger } from "./logger.ts";
import { openOpsServer } from "./ops-server.ts";
import { programVersion } from "./program-version.ts";
import { scrubText } from "./scrub.ts";
import type { ServiceConfig } from "./service-env.ts";
import { openTelemetry, type Telemetry } from "./telemetry.ts";
import { openTracing, type Tracing } from "./tracing/open-tracing.ts";

/** Of the time that an error nobody caught leaves. */
const LAST_SPANS_MS = 500;

/**
 * Run a process from its configuration to its exit code.
 *
 * `main` opens what it needs, works until `telemetry.stopping` aborts, and closes. SIGTERM and SIGINT abort it; a
 * second one exits at once (143, 130). Exit codes: 0 `main` returned, 1 it threw, 70 an error nobody
 * caught, 78 bad configuration.
 */
export async function runService<Config extends ServiceConfig>(
  name: string,
  readConfig: () => Config,
  main: (service: { config: Config; telemetry: Telemetry }) => Promise<void>,
): Promise<void> {
  const config = configOrExit(name, readConfig);
  const stop = new AbortController();
  const { telemetry, checks, life, fatalHooks } = openTelemetry({
    service: name,
    version: config.version ?? programVersion(),
    level: config.log.level,
    stopping: stop.signal,
  });
  const { log, registry } = telemetry;
  obeySignals(log, stop);
  await using tracing = startTracing(name, config, telemetry);
  exitWhenUncaught(log, fatalHooks, async () => tracing?.flush(LAST_SPANS_MS));

  try {
    await using ops = await openOpsServer(config.ops, {
      liveness: life,
      readiness: checks,
      registry,
    });
    log.info({ host: ops.host, port: ops.port }, "ops server listening");
    const traced = tracing === undefined ? telemetry : { ...telemetry, tracer: tracing.tracer };
    await main({ config, telemetry: traced });
  } catch (error) {
    if (isBadConfig(error)) {
      writeSync(2, `${name}: ${scrubText(error.message)}\n`);
      process.exit(EXIT.badConfig);
    }
    if (!isTheStop(error, stop.signal)) {
      log.fatal({ err: error }, "service failed");
      process.exit(EXIT.failed);
    }
  }
  log.info("service stopped");
  log.flush();
  exitIfLingering(log);
}

function startTracing(
  service: string,
  { tracing }: ServiceConfig,
  { log, version, metrics }: Telemetry,
): Tracing | undefined {
  if (tracing === undefined) return undefined;
  log.info({ endpoint: tracing.endpoint, share: tracing.share }, "traces are sent");
  return openTracing(tracing, {
    service,
    version,
    log,
    counted: (result, count) => metrics.traceSpans.inc({ result }, count),
  });
}

/** Settings that only show to be bad once they are used, as whoever used them says. */
const isBadConfig = (error: unknown): error is Error =>
  error instanceof Error && "badConfig" in error && error.badConfig === true;

/** Whether `main` threw only because it was told to stop while it waited for something. */
function isTheStop(error: unknown, stopping: AbortSignal): boolean {
  if (!stopping.aborted) return false;
  return (
    error === stopping.reason ||
    (error instanceof Error && error.name === "AbortError" && error.cause === stopping.reason)
  );
}

function configOrExit<Config>(name: string, readConfig: () => Config): Config {
  try {
    return readConfig();
  } catch (error) {
    if (error instanceof ConfigError) {
      // Written synchronously: a pipe would lose what is still buffered at the exit.
      for (const problem of error.problems) writeSync(2, `${name}: ${problem}\n`);
      process.exit(EXIT.badConfig);
    }
    openLogger({ service: name, level: "info" }).fatal({ err: error }, "configuration not read");
    process.exit(EXIT.failed);
  }
}
