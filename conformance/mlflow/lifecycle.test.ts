import { expect } from "vitest";
import { plinthOfThisFile, testFlow } from "../src/flow-test.ts";

const plinth = plinthOfThisFile();
const raised = (code: string) => ({ type: "RestException", code });
const invalid = raised("INVALID_PARAMETER_VALUE");
const absent = raised("RESOURCE_DOES_NOT_EXIST");
const taken = raised("RESOURCE_ALREADY_EXISTS");

testFlow(plinth, {
  script: "lifecycle",
  checks: {
    "hides a deleted run and brings it back": (seen) => {
      expect(seen["after_delete"]).toEqual([["kept"], ["gone"], ["gone", "kept"]]);
      expect(seen["refused"]).toEqual(invalid);
      expect(seen["after_restore"]).toEqual(["gone", "kept"]);
    },
    "deletes and restores an experiment with its runs": (seen) => {
      expect(seen).toMatchObject({
        experiment_deleted: "deleted",
        experiment_restored: "active",
        use_deleted: true,
      });
      expect(seen["runs_deleted"]).toEqual(["deleted", "deleted"]);
      expect(seen["runs_restored"]).toEqual(["active", "active"]);
      expect(seen["taken"]).toEqual(taken);
    },
    "renames and tags an experiment": (seen) =>
      expect(seen).toMatchObject({ name_after: true, tags: "test", absent: true }),
    "raises the codes that callers branch on": (seen) =>
      expect(seen["errors"]).toEqual({
        "unknown run": absent,
        "unknown experiment": absent,
        "bad experiment": invalid,
        "taken name": taken,
        "empty name": invalid,
        // The client itself rewords this one.
        "changed param": { type: "MlflowException", code: "INVALID_PARAMETER_VALUE" },
        "same param": null,
        "changed param in a batch": invalid,
        "param twice in a batch": invalid,
        "bad metric key": invalid,
        "bad tag key": invalid,
        "missing tag": absent,
        "bad filter": invalid,
        "bad order": invalid,
        "bad comparator": invalid,
        "too many results": invalid,
        "bad token": invalid,
        "delete unknown run": absent,
        "delete experiment twice": [null, absent],
        "run in a deleted experiment": invalid,
        "history of an unknown run": null,
        "artifacts of an unknown run": absent,
      }),
  },
});
