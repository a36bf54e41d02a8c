import { expect, test } from "vitest";
import { providerFile, type ProviderFile } from "./provider-schema.ts";

const answer = {
  provider: { block: { attributes: { token: { type: "string", optional: true, deprecated: true } } } },
  resource_schemas: {
    x_bucket: {
      block: {
        attributes: {
          name: { type: "string", required: true },
          id: { type: "string", computed: true },
          size: { type: "number", optional: true, computed: true },
          set: {
            nested_type: {
              attributes: { value: { type: "string", optional: true, write_only: true } },
              nesting_mode: "list",
            },
            optional: true,
          },
        },
        block_types: {
          rule: {
            nesting_mode: "list",
            max_items: 1,
            block: { attributes: { age: { type: "number", optional: true } } },
          },
        },
      },
    },
    x_other: { block: {} },
  },
};

test("keeps structure from the answer, and of the file before what the answer does not say", () => {
  const before: ProviderFile = {
    provider: "x/x",
    version: "1.0.0",
    provider_config: {},
    resources: {
      x_bucket: {
        name: { type: "string", mode: "optional", force_new: true, length: [1, 63] },
        size: { type: "string", mode: "optional", default: "1" },
        rule: { block: "list", body: { age: { type: "number", mode: "optional", minimum: 1 } } },
      },
    },
    data_sources: {},
  };
  const told = { provider: "x/x", version: "2.0.0", before };
  expect(providerFile(answer, { ...told, selection: true })).toEqual({
    provider: "x/x",
    version: "2.0.0",
    provider_config: { token: { type: "string", mode: "optional", deprecated: true } },
    resources: {
      x_bucket: {
        id: { type: "string", mode: "computed" },
        name: { type: "string", mode: "required", force_new: true, length: [1, 63] },
        set: {
          mode: "optional",
          nesting: "list",
          body: { value: { type: "string", mode: "optional", write_only: true } },
        },
        size: { type: "number", mode: "optional+computed" },
        rule: { block: "list", max: 1, body: { age: { type: "number", mode: "optional", minimum: 1 } } },
      },
    },
    data_sources: {},
  });
  expect(Object.keys(providerFile(answer, { ...told, selection: false }).resources)).toEqual([
    "x_bucket",
    "x_other",
  ]);
});
