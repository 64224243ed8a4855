import { type DestinationStream, type Logger, pino, stdSerializers, stdTimeFunctions } from "pino";
import { scrubLine } from "./scrub.ts";

export type { Logger };

const errorSerializers = Object.fromEntries(
  ["err", "error", "cause", "reason"].map((key) => [key, stdSerializers.err]),
);

/**
 * Open the JSON log of a process: one line an event, on stdout unless `destination` is given.
 *
 * Lines leave without secrets and mail addresses. Values that follow a job (`jobId`, `subject`, `traceId`) are
 * bindings of a child: `log.child({ jobId })`. Writing is synchronous: the line before a crash is the
 * one that matters.
 */
export function openLogger(
  options: { readonly service: string; readonly level: string },
  destination: DestinationStream = pino.destination({ fd: 1, sync: true }),
): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: errorSerializers,
      hooks: { streamWrite: scrubLine },
    },
    destination,
  );
}
