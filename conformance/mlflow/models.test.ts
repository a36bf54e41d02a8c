import { expect } from "vitest";
import { plinthOfThisFile, testFlow } from "../src/flow-test.ts";

const plinth = plinthOfThisFile();

testFlow(plinth, {
  script: "models",
  checks: {
    "loads by run what was logged": (seen) =>
      expect(seen).toMatchObject({
        by_run: true,
        as_pyfunc: true,
        signature: true,
        has_mlmodel: true,
        missing: true,
      }),
    "loads a model of the user's own class": (seen) => expect(seen["doubled"]).toEqual([2, 4, 6]),
    "keeps the history tag of the older client": (seen, version) =>
      expect(seen["history"]).toEqual(
        version === "2.9.2"
          ? [
              ["model", ["python_function", "sklearn"]],
              ["doubler", ["python_function"]],
            ]
          : undefined,
      ),
    "serves logged models to the newer client": (seen, version) =>
      expect(seen["logged"]).toEqual(
        version === "2.9.2"
          ? undefined
          : {
              by_id: true,
              name: "model",
              status: "READY",
              source: true,
              tags: { quality: "good" },
              params: { trees: "10" },
              metrics: [["acc", 0.75]],
              artifacts: [
                "MLmodel",
                "conda.yaml",
                "input_example.json",
                "model.pkl",
                "python_env.yaml",
                "requirements.txt",
                "serving_input_example.json",
              ],
              outside: true,
              failed: "FAILED",
              deleted: { type: "RestException", code: "RESOURCE_DOES_NOT_EXIST" },
            },
      ),
  },
});
