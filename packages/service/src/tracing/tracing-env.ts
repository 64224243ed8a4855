import { z } from "zod";

/** OpenTelemetry's own variables, under their own names; nothing is traced without the first. */
export const tracingEnv = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .describe(
      "a collector that takes OTLP over HTTP, e.g. http://localhost:4318; no traces if absent",
    )
    .optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .transform(pairs)
    .describe("what the collector asks for, e.g. authorization=Bearer%20…,x-tenant=erp")
    .optional(),
  OTEL_RESOURCE_ATTRIBUTES: z
    .string()
    .transform(pairs)
    .describe("what else is told of this process, e.g. deployment.environment.name=production")
    .optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .describe("share of the traces that begin here and are recorded, from 0 to 1")
    .default(1),
};

export interface TracingConfig {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly share: number;
}

/** @returns `undefined` where nothing is to be traced */
export const tracingConfig = (
  env: z.output<z.ZodObject<typeof tracingEnv>>,
): TracingConfig | undefined =>
  env.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
    ? undefined
    : {
        endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
        headers: env.OTEL_EXPORTER_OTLP_HEADERS ?? {},
        resource: env.OTEL_RESOURCE_ATTRIBUTES ?? {},
        share: env.OTEL_TRACES_SAMPLER_ARG,
      };

/** `a=1,b=2`, with values as in a URL. */
function pairs(text: string, context: z.core.$RefinementCtx): Record<string, string> {
  const read: Record<string, string> = {};
  for (const pair of text.split(",").filter((part) => part.trim() !== "")) {
    const at = pair.indexOf("=");
    const value = decoded(pair.slice(at + 1).trim());
    if (at < 1 || value === undefined) {
      context.addIssue({ code: "custom", message: "write it as name=value,name=value" });
      return z.NEVER;
    }
    read[pair.slice(0, at).trim()] = value;
  }
  return read;
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
