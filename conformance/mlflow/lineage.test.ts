import { expect } from "vitest";
import { plinthOfThisFile, testFlow } from "../src/flow-test.ts";

const plinth = plinthOfThisFile();

testFlow(plinth, {
  script: "lineage",
  checks: {
    "leads from a version to its run, parents, experiment and datasets": (seen) =>
      expect(seen).toMatchObject({
        same: true,
        version: [1, ["best"]],
        run: true,
        parents: [true],
        experiment: true,
        datasets: [[true, true, "training"]],
      }),
    "leads to the logged model, where the client has such": (seen, version) =>
      expect([seen["logged_model"], seen["outputs"]]).toEqual(
        version === "2.9.2" ? [null, []] : [true, [true]],
      ),
    "leads back to the version": (seen, version) =>
      expect(seen).toMatchObject({
        back_from_run: [[true, 1]],
        back_from_parent: [],
        back_from_experiment: [[true, 1]],
        back_from_dataset: [[true, 1]],
        back_from_model: version === "2.9.2" ? [] : [[true, 1]],
      }),
  },
});
