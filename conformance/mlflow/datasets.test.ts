import { expect } from "vitest";
import { plinthOfThisFile, testFlow } from "../src/flow-test.ts";

const plinth = plinthOfThisFile();

testFlow(plinth, {
  script: "datasets",
  checks: {
    "links datasets with their contexts and tags": (seen) => {
      const [iris, grid] = seen["digests"] as readonly string[];
      expect(seen["first"]).toEqual([
        ["grid", grid, "code", { fold: "1", "mlflow.data.context": "validation" }],
        ["iris", iris, "http", { "mlflow.data.context": "training" }],
      ]);
      expect(seen["second"]).toEqual([["iris", iris, "http", { "mlflow.data.context": "testing" }]]);
    },
    "keeps schema, profile and source": (seen) => {
      expect(seen).toMatchObject({ schema_has_columns: true, profile_rows: true });
      expect(seen["source"]).toBe('{"url": "https://example.com/iris.csv"}');
    },
    "finds runs by their datasets": (seen) =>
      expect(seen).toMatchObject({
        by_name: ["first", "second"],
        by_context: ["first"],
        by_digest: ["first", "second"],
        by_like: ["first"],
        by_list: ["first"],
      }),
  },
});
