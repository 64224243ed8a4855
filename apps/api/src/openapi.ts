import { z } from "zod";
import { createDocument, type ZodOpenApiOperationObject } from "zod-openapi";
import type { AnswerDoc, Endpoint } from "./http/endpoint.ts";
import { PROBLEMS, type ProblemCode } from "./http/problem.ts";
import { ProblemSchema, problemExample } from "./schemas/problem.ts";

const INTRODUCTION = `
Background work for an ERP, over HTTP. What takes long (a PDF, a mail) is *asked for*: the answer is
\`202\` with a \`Location\`, and the job behind it runs elsewhere, survives crashes, and tells at
\`/v1/jobs/{requestId}\` what it does and why it waits.

**Keys.** \`Authorization: Bearer bk_…\`. A key reaches one company or all of them, and has the scopes
\`read\`, \`write\`, \`operate\`. What belongs to another company answers \`404\`.

**Repeat safely.** \`PUT\` is an upsert. Every \`POST\` takes an \`Idempotency-Key\`: the same key with the
same body answers the same for 48 hours, marked \`Idempotency-Replayed: true\`.

**Refusals** are [problem details](/problems) (RFC 9457) that name every bad field and its limit.
`;

/** Describe every endpoint as OpenAPI 3.1, from the schemas that check its requests. */
export function openApiDocument(endpoints: readonly Endpoint[]): object {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const endpoint of endpoints) {
    paths[endpoint.path] ??= {};
    Object.assign(paths[endpoint.path] as object, { [endpoint.method]: operation(endpoint) });
  }
  return createDocument({
    openapi: "3.1.0",
    info: { title: "Ballast", version: "1", description: INTRODUCTION, license: { name: "MIT" } },
    servers: [{ url: "/" }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: {
        apiKey: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "bk_…",
          description: "An API key.",
        },
      },
    },
  });
}

const IdempotencyKey = z.object({
  "Idempotency-Key": z.string().min(1).max(255).optional().meta({
    description: "Makes this request safe to repeat. Make up a new one, e.g. a UUID, per request.",
  }),
});

function operation(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { method, path, params, query, body } = endpoint;
  const has = (schema: z.ZodObject) => Object.keys(schema.shape).length > 0;
  return {
    operationId: endpoint.operationId,
    tags: [endpoint.tag],
    summary: endpoint.summary,
    description: `${endpoint.description ?? ""}\n\nScope: \`${endpoint.scope}\``.trim(),
    requestParams: {
      ...(has(params) ? { path: params } : {}),
      ...(has(query) ? { query } : {}),
      ...(method === "post" ? { header: IdempotencyKey } : {}),
    },
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: endpoint.bodyOptional !== true,
            content: {
              "application/json": {
                schema: body,
                ...(endpoint.example === undefined ? {} : { example: endpoint.example }),
              },
            },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(endpoint.answers).map(([status, answer]) => [status, answerObject(answer)]),
      ),
      ...problemObjects(problemsOf(endpoint), path),
    },
  };
}

const answerObject = ({ description, schema, contentType, headers = {} }: AnswerDoc) => ({
  description,
  ...(schema === undefined ? {} : { content: { [contentType ?? "application/json"]: { schema } } }),
  headers: Object.fromEntries(
    Object.entries(headers).map(([name, text]) => [
      name,
      { description: text, schema: { type: "string" as const } },
    ]),
  ),
});

/** Its own refusals, and those that follow from what it is. */
function problemsOf({ method, body, problems, asksForWork }: Endpoint): ProblemCode[] {
  const general: ProblemCode[] = ["malformed-request", "unauthorized", "missing-scope"];
  if (body !== undefined) general.push("body-too-large", "unsupported-media-type", "invalid-body");
  if (method === "post") general.push("still-in-flight", "idempotency-key-reused");
  general.push("too-many-requests", "internal-error", "unavailable");
  const ofWork: ProblemCode[] = asksForWork ? ["overloaded"] : [];
  return [...new Set([...problems, ...ofWork, ...general])];
}

function problemObjects(codes: readonly ProblemCode[], path: string) {
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: group.map((code) => `${PROBLEMS[code].title}.`).join(" Or: "),
        content: {
          "application/problem+json": {
            schema: ProblemSchema,
            examples: Object.fromEntries(
              group.map((code) => [code, { value: problemExample(code, path) }]),
            ),
          },
        },
      },
    ]),
  );
}
