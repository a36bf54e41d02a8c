import { expect } from "vitest";
import { plinthOfThisFile, testFlow } from "../src/flow-test.ts";

const plinth = plinthOfThisFile();
const raised = (code: string, type = "RestException") => ({ type, code });
const absent = raised("RESOURCE_DOES_NOT_EXIST");

const work = (name: string, place: string) => ({
  workspace: expect.stringMatching(new RegExp(`^${name}-`)),
  place,
  text: `text of ${name}-x`,
  files: ["notes"],
  runs: [`${name}-x`],
  versions: ["1"],
  loaded: [2, 4],
});

const nothingSeen = {
  run: absent,
  experiment: absent,
  found: 0,
  model: absent,
  load: true,
  metric: absent,
  download: true,
  upload: true,
  history: 0,
};

testFlow(plinth, {
  script: "workspaces",
  versions: ["3.17.2"],
  checks: {
    "creates, reads, changes and lists them": (seen) =>
      expect(seen["crud"]).toEqual({
        created: [expect.stringMatching(/^red-/), "Red team"],
        updated: [expect.stringMatching(/^red-/), "The red team"],
        got: "The red team",
        listed: ["blue", "default", "gone", "red"],
        // Reworded by the client itself.
        taken: raised("RESOURCE_ALREADY_EXISTS", "MlflowException"),
        unknown: absent,
        bad_name: raised("INVALID_PARAMETER_VALUE", "MlflowException"),
        reserved: raised("INVALID_PARAMETER_VALUE"),
      }),
    "works in each under the same names": (seen) => {
      expect(seen["red"]).toEqual(work("red", "mlflow-artifacts:/workspaces/red-x/ID"));
      expect(seen["blue"]).toEqual(work("blue", "mlflow-artifacts:/workspaces/blue-x/blue/things/ID"));
    },
    "sees nothing of another one": (seen) => {
      expect(seen["red_from_blue"]).toEqual(nothingSeen);
      expect(seen["from_default"]).toEqual({ ...nothingSeen, experiments: [], models: [] });
      expect(seen["unchanged"]).toEqual({ loss: 0.5 });
      expect(seen["stranger"]).toEqual(absent);
    },
    "chooses no artifact location": (seen) =>
      expect(seen["location"]).toEqual(raised("INVALID_PARAMETER_VALUE")),
    "deletes them in every mode": (seen) =>
      expect(seen["deleted"]).toEqual({
        empty: null,
        filled: raised("INVALID_STATE"),
        default: raised("INVALID_PARAMETER_VALUE"),
        cascade: null,
        to_default: null,
        left: ["default"],
      }),
    "goes on with what was moved to the default one": (seen) =>
      expect(seen["moved"]).toEqual({ params: true, text: "text of red-x", loaded: [6], blue: absent }),
  },
});

testFlow(plinth, {
  script: "beside_workspaces",
  checks: {
    "notices nothing of a workspace beside it": (seen) =>
      expect(seen).toEqual({
        own: true,
        place: true,
        chosen: "mlflow-artifacts:/chosen/place",
        found: [true],
        text: "a text",
        names: [true],
        other: absent,
      }),
  },
});
