import { expect, test } from "vitest";
import { z } from "zod";
import { readEnv } from "../../src/index.ts";
import { tracingConfig, tracingEnv } from "../../src/tracing/tracing-env.ts";

const configOf = (env: Record<string, string>) => tracingConfig(readEnv(z.object(tracingEnv), env));

test("nothing is traced unless an endpoint is set", () => {
  expect(configOf({ OTEL_TRACES_SAMPLER_ARG: "0.5" })).toBeUndefined();
});

test("headers and attributes are read as OpenTelemetry writes them", () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20a=b, x-tenant=erp",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=production",
    OTEL_TRACES_SAMPLER_ARG: "0.1",
  };
  expect(configOf(env)).toEqual({
    endpoint: "http://localhost:4318",
    headers: { authorization: "Bearer a=b", "x-tenant": "erp" },
    resource: { "deployment.environment.name": "production" },
    share: 0.1,
  });
});

test.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4318" }, /ENDPOINT.*http:\/\/localhost:4318/],
  [{ OTEL_EXPORTER_OTLP_HEADERS: "Bearer topsecret" }, /HEADERS.*name=value/],
  [{ OTEL_EXPORTER_OTLP_HEADERS: "authorization=%zz" }, /HEADERS.*name=value/],
  [{ OTEL_TRACES_SAMPLER_ARG: "10" }, /SAMPLER_ARG.*from 0 to 1/],
])("%o is refused with what to write instead", (env, remedy) => {
  expect(() => configOf(env)).toThrow(remedy);
});
