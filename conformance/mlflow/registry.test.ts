import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { clients } from "../src/environment.ts";
import { plinthOfThisFile, testFlow } from "../src/flow-test.ts";
import { runFlow } from "../src/python.ts";

const plinth = plinthOfThisFile();

const raised = (code: string, type = "RestException") => ({ type, code });
const missing = raised("RESOURCE_DOES_NOT_EXIST");
const refused = raised("INVALID_PARAMETER_VALUE");
const taken = raised("RESOURCE_ALREADY_EXISTS");
const isNewer = (version: string) => version.startsWith("3.");

testFlow(plinth, {
  script: "registry",
  checks: {
    "registers by log_model, register_model and create_model_version": (seen) =>
      expect(seen).toMatchObject({
        numbers: ["2", "3"],
        runs: [true, true, true],
        described: ["the third", { quality: "good" }, "READY", "None"],
        registered_again: taken,
      }),
    "loads by number, alias, stage and as the latest": (seen) =>
      expect(seen["loaded"]).toEqual({ number: 1, alias: 2, production: 1, staging: 3, latest: 3 }),
    "loads by the logged model, which names its version": (seen, version) =>
      expect([seen["loaded_by_id"], seen["linked"]]).toEqual(
        isNewer(version) ? [3, true] : [undefined, undefined],
      ),
    "downloads a version's files": (seen) => expect(seen["downloaded"]).toEqual([true, "MLmodel"]),
    "says what is missing": (seen) => expect(seen["missing"]).toEqual([missing, refused, missing]),
    "moves versions between stages": (seen) =>
      expect(seen).toMatchObject({
        stages: { "1": "Archived", "2": "None", "3": "Production" },
        latest: [
          [
            ["Archived", "1"],
            ["None", "2"],
            ["Production", "3"],
          ],
          ["3"],
        ],
        production_now: 3,
        bad_stage: refused,
      }),
    "sets, moves and deletes aliases": (seen, version) =>
      expect(seen).toMatchObject({
        by_alias: "3",
        aliases: [{ champion: "3", second: "2" }, ["champion"]],
        alias_gone: refused,
        // The older client knows by itself that `latest` is reserved.
        reserved: raised("INVALID_PARAMETER_VALUE", isNewer(version) ? "RestException" : "MlflowException"),
      }),
    "changes descriptions and tags": (seen) =>
      expect(seen["changed"]).toEqual(["adds", { team: "vision" }, "adds one", { quality: "poor" }]),
    "copies versions": (seen) => expect(seen["copied"]).toEqual([["1", true, true], ["2", true, true], 2, 3]),
    "renames a model, and copies of its versions stay": (seen) =>
      expect(seen).toMatchObject({ renamed: [3, missing], copy_of_renamed: 2, taken }),
    "deletes versions and models": (seen) =>
      expect(seen).toMatchObject({
        deleted_version: [missing, refused],
        after_deletion: "4",
        deleted: [missing, missing],
      }),
  },
});

testFlow(plinth, {
  script: "registry_search",
  checks: {
    "finds models, page by page": (seen) =>
      expect(seen).toMatchObject({
        models: ["a", "b", "c", "d", "e", "f", "g"],
        model_pages: 3,
        descending: ["g", "f", "e", "d", "c", "b", "a"],
        by_tag: ["b", "d", "f"],
        by_case: ["a", "b", "c", "d", "e", "f", "g"],
        latest: [["6"], ["6"], []],
      }),
    "finds versions, page by page": (seen) =>
      expect(seen).toMatchObject({
        versions: 12,
        version_pages: 3,
        of_one: ["1", "2", "3", "4", "5", "6"],
        by_version_tag: ["s3://bucket/7"],
        by_source: ["s3://bucket/3"],
        by_number: 4,
      }),
    "refuses what it does not know": (seen) => expect(seen["bad"]).toEqual([refused, refused, refused]),
  },
});

describe("four processes of both clients that register at the same time", () => {
  const word = randomBytes(4).toString("hex");
  const names = [`one ${word}`, `two ${word}`];

  it("get numbers without a gap, and none twice", async () => {
    const all = await Promise.all(
      [...clients, ...clients].map((version) =>
        runFlow({ version, script: "registry_together", url: plinth().url, args: names }),
      ),
    );
    expect(all.map((one) => one["failures"])).toEqual([[], [], [], []]);
    for (const name of names) {
      const numbers = all.flatMap((one) => (one["numbers"] as Record<string, number[]>)[name] ?? []);
      expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 160 }, (_, i) => i + 1));
    }
  });
});
