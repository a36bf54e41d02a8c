import { drives, hosts, serverPaths } from "./cases/model-sources.ts";
import { writtenRoutes } from "./cases/registry-fields.ts";
import type { Difference } from "./differences.ts";

const refused = { status: 400, error_code: "INVALID_PARAMETER_VALUE" } as const;

const searches = ["models", "versions"].map((entity) => `registry search: ${entity}`);

/** Where the model registry answers otherwise than upstream on purpose. */
export const registryDifferences: readonly Difference[] = [
  {
    at: writtenRoutes.map((route) => `registry fields: ${route} > a list as body`),
    reason: "upstream answers 500 to a body of the wrong type, and clients retry a 500 seven times",
    answers: refused,
  },
  {
    at: [
      "model stages: transition > to Archived, archiving",
      "model stages: transition > to None, archiving",
      "model sources: logged models > an unknown model",
      ...searches.flatMap((search) => [
        `${search} > 33: tags.a IS NULL`,
        `${search} > 34: tags.a IS NOT NULL`,
        `${search} > order by name + name`,
        `${search} > order by name + name DESC`,
      ]),
      "registry search: models > order by last_updated_timestamp + timestamp",
      "registry search: grammar for models > name IS NULL",
      "registry search: grammar for versions > name IS NULL",
      "registry search: grammar for versions > version_number IS NULL",
    ],
    reason: "the same words, but upstream says them with 500, which clients retry seven times",
    answers: refused,
  },
  {
    at: ["model sources: copies > by a stage without versions"],
    reason: "the same words, but upstream says them with 500, which clients retry seven times",
    answers: { status: 404, error_code: "RESOURCE_DOES_NOT_EXIST" },
  },
  {
    at: [
      'model versions: create and get > read version "99999999999999999999"',
      'model versions: update and delete > describe "99999999999999999999"',
      'model versions: update and delete > delete "99999999999999999999"',
    ],
    reason: "upstream hands the number to its database, which fails with 500; there is no such version",
    answers: { status: 404, error_code: "RESOURCE_DOES_NOT_EXIST" },
  },
  {
    at: ["registry search: versions > 50: version_number = 99999999999999999999"],
    reason: "upstream hands the number to its database, which fails with 500; no version has it",
    answers: { status: 200, finds: [] },
  },
  {
    at: [
      "registry search: grammar for models > name != ('{unique} a')",
      "registry search: grammar for models > name LIKE ('{unique} a')",
      "registry search: grammar for versions > name != ('{unique} a')",
      "registry search: grammar for versions > name LIKE ('{unique} a')",
      "registry search: grammar for versions > run_id = ('{unique} a')",
      "registry search: grammar for versions > run_id like ('{unique} a')",
    ],
    reason: "upstream answers BAD_REQUEST with SQL text to a list where one value must stand",
    answers: refused,
  },
  {
    at: ["registry search: models > name ILIKE '{unique} Ä'"],
    reason: "upstream's SQLite knows the small letters of ASCII alone; its PostgreSQL finds it too",
    answers: { status: 200, finds: ["ä"] },
  },
  {
    at: ["registry search: models > max_results '0'", "registry search: models > max_results '-1'"],
    reason: "upstream answers an empty page with a token that leads to the next empty page",
    answers: refused,
  },
  {
    at: [
      "registry search: models > max_results '1001'",
      "registry search: models > max_results '200000'",
      "registry search: models > max_results '200001'",
      "registry search: versions > max_results '200001'",
    ],
    reason: "upstream complains of the type of what is in the query; Plinth names the limit",
    ignore: "message",
  },
  {
    at: [
      'model versions: create and get > read version "١"',
      'model versions: update and delete > describe "١"',
    ],
    reason: "upstream reads a version with the digits of every script",
    answers: refused,
  },
  {
    at: ["registered models: create and get > a name of 300 characters"],
    reason: "upstream's column takes 256; its SQLite does not enforce it, its PostgreSQL fails",
    answers: refused,
  },
  {
    at: ["registered models: create and get > a tag of a number"],
    reason: "upstream answers 200 and stores an empty value in place of what it could not read",
    answers: refused,
  },
  {
    at: [
      ...serverPaths.map((source) => `model sources: places of the server > ${source}, with a run`),
      "registry fields: POST model-versions/create > source blank",
      "registry fields: POST model-versions/create > source a word",
    ],
    reason: "upstream resolves the path first, and so shows where it runs; Plinth repeats what was sent",
    ignore: "message",
  },
  {
    at: [...drives, ...hosts].flatMap((source) => [
      `model sources: places of the server > ${source}`,
      `model sources: places of the server > ${source}, with a run`,
    ]),
    reason: "other words for the same fault: no advice about upstream's environment variables",
    ignore: "message",
  },
  {
    at: [
      "model sources: judged otherwise upstream > no run given",
      "model sources: judged otherwise upstream > an empty run given",
      "model sources: judged otherwise upstream > in the run's place, no run given",
    ],
    reason: "clients of 2.9 leave out the run; the source itself names it",
    answers: { status: 200 },
  },
  {
    at: ["C:/Windows", "s3://bucket/a#b", "runs:/{run}/a#b", "runs:/{run}/a?b", "runs:///{run}/model"].map(
      (source) => `model sources: judged otherwise upstream > the source '${source}'`,
    ),
    reason:
      "a drive letter is no scheme; after '#' and '?' stand other parts of a URI, by which check and use have come " +
      "to differ; a run is named in one way",
    answers: refused,
  },
  {
    at: ["model sources: copies > the source 'models:/../1'"],
    reason: "the same refusal in other words",
    ignore: "message",
  },
  {
    at: ["model sources: copies > the source 'models:/a/%2e%2e'"],
    reason: "upstream looks for a model before it looks at the rest",
    answers: refused,
  },
];
