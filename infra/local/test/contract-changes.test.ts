import fc from "fast-check";
import { expect, test } from "vitest";
import { breakingChanges, type JobSchema, type JsonSchema } from "../src/contract-changes.ts";

const NAME = "pdf.render-invoice.v1";
const released = (payload: JsonSchema): JobSchema => ({
  queue: "pdf",
  payload,
  result: { type: "object", properties: { pages: { type: "integer" } }, required: ["pages"] },
});
const compare = (before: JsonSchema, after: JsonSchema) =>
  breakingChanges(
    new Map([[NAME, released(before)]]),
    new Map([[NAME, released(after)]]),
    new Map([["pdf.render-invoice", 1]]),
  );

const leaf: fc.Arbitrary<JsonSchema> = fc.oneof(
  fc.record({ type: fc.constant("string"), maxLength: fc.nat(99) }),
  fc.record({ type: fc.constant("integer"), minimum: fc.integer(), default: fc.integer() }),
  fc.record({ type: fc.constant("string"), enum: fc.uniqueArray(fc.string(), { minLength: 2 }) }),
);
const { schema } = fc.letrec<{ schema: JsonSchema; object: JsonSchema }>((tie) => ({
  schema: fc.oneof({ maxDepth: 2 }, leaf, tie("object")),
  object: fc
    .dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie("schema"), { minKeys: 1, maxKeys: 4 })
    .chain((properties) =>
      fc
        .subarray(Object.keys(properties))
        .map((required) => ({ type: "object", properties, required })),
    ),
}));
const payload = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,6}$/), schema, { minKeys: 1, maxKeys: 4 })
  .chain((properties) =>
    fc
      .subarray(Object.keys(properties))
      .map((required) => ({ type: "object", properties, required })),
  );

test("optional fields and words for people break nobody", () => {
  fc.assert(
    fc.property(payload, schema, (before, added) => {
      const properties = { ...before.properties, aNewField: { ...added, description: "new" } };
      expect(compare(before, { ...before, properties, title: "another" })).toEqual([]);
    }),
  );
});

test("whatever else is done to a field is found, and named", () => {
  const change = fc.constantFrom("remove", "require", "release", "retype", "narrow");
  fc.assert(
    fc.property(payload, change, fc.nat(), (before, how, nth) => {
      const fields = Object.keys(before.properties);
      const field = fields[nth % fields.length] ?? "";
      const { [field]: it = {}, ...others } = before.properties;
      const without = before.required.filter((one) => one !== field);
      const isRequired = before.required.includes(field);
      fc.pre(how !== (isRequired ? "require" : "release"));
      const after = {
        remove: { ...before, properties: others, required: without },
        require: { ...before, required: [...before.required, field] },
        release: { ...before, required: without },
        retype: {
          ...before,
          properties: { ...before.properties, [field]: { ...it, type: "null" } },
        },
        narrow: { ...before, properties: { ...before.properties, [field]: { ...it, const: 1 } } },
      }[how];
      expect(compare(before, after).join()).toContain(`${NAME}: payload.${field}`);
    }),
  );
});

test("a field that is new and required is found", () => {
  const before = { type: "object", properties: {}, required: [] };
  const after = { ...before, properties: { locale: { type: "string" } }, required: ["locale"] };
  expect(compare(before, after)).toEqual([`${NAME}: payload.locale is new, and not optional`]);
});

test.each([
  ["gone, and its job too", new Map(), [/there is no pdf\.render-invoice any more/]],
  [
    "gone, while workers still take it",
    new Map([["pdf.render-invoice", 1]]),
    [/locale is required now/],
  ],
  ["retired", new Map([["pdf.render-invoice", 2]]), []],
])("a version that is %s", (_, oldestKept, expected) => {
  const before = { type: "object", properties: { id: { type: "string" } }, required: ["id"] };
  const properties = { ...before.properties, locale: { type: "string" } };
  const second = { ...before, properties, required: ["id", "locale"] };
  const now =
    oldestKept.size === 0 ? new Map() : new Map([["pdf.render-invoice.v2", released(second)]]);
  const found = breakingChanges(new Map([[NAME, released(before)]]), now, oldestKept);
  expect(found).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
});
