// The same models and versions for every server, written straight into its tables.
import { get, post } from "./api.ts";
import { query } from "./postgres.ts";
import type { Target } from "./target.ts";

export const MODELS = 10_000;
export const VERSIONS_EACH = 10;

// Model n is `model-00001` and so on, with versions 1 to 10: version 3 in Production, 7 in Staging, 9 archived;
// `champion` is version 5. Everything was changed at a time of its own, the later the higher the number.
export const modelName = (n: number): string => `model-${String(n).padStart(5, "0")}`;
const STAGES: Readonly<Record<number, string>> = { 3: "Production", 7: "Staging", 9: "Archived" };
const CHAMPION = 5;
const FIRST = 1_700_000_000_000;

const name = `'model-' || lpad(n::text, 5, '0')`;
const models = `generate_series(1, $1::integer) as n`;
const versions = `${models} cross join generate_series(1, ${VERSIONS_EACH}) as v`;
const run = `md5('bench ' || n || ' ' || v)`;
const stage = `case v when 3 then 'Production' when 7 then 'Staging' when 9 then 'Archived' else 'None' end`;
const time = `${FIRST} + n::bigint * 100 + v`;
const modelTags = `(values ('team', 't' || n % 13), ('task', 'classification')) as tag (key, value)`;
const versionTags = `(values ('quality', 'q' || v % 3)) as tag (key, value)`;

/** $1 is the number of models. */
const plinth: readonly string[] = [
  `insert into registry.registered_models (name, description, creation_timestamp, last_updated_timestamp, last_version)
   select ${name}, 'bench', ${FIRST} + n, ${FIRST} + n, ${VERSIONS_EACH} from ${models}`,
  `insert into registry.registered_model_tags (model_key, key, value)
   select model_key, tag.key, tag.value
   from ${models} join registry.registered_models on name = ${name}, lateral ${modelTags}`,
  `insert into registry.model_versions (model_key, version, creation_timestamp, last_updated_timestamp, stage,
     description, source, storage_location, run_uuid, run_link)
   select model_key, v, ${time}, ${time}, ${stage}, 'bench', 'runs:/' || ${run} || '/model',
     'runs:/' || ${run} || '/model', ${run}, ''
   from ${versions} join registry.registered_models on name = ${name}`,
  `insert into registry.model_version_tags (version_key, key, value)
   select version_key, tag.key, tag.value
   from ${versions} join registry.registered_models on name = ${name}
   join registry.model_versions using (model_key), lateral ${versionTags} where version = v`,
  `insert into registry.aliases (model_key, alias, version_key)
   select model_key, 'champion', version_key
   from ${models} join registry.registered_models on name = ${name}
   join registry.model_versions using (model_key) where version = ${CHAMPION}`,
  `vacuum analyze`,
];

const mlflow: readonly string[] = [
  `insert into registered_models (name, description, creation_time, last_updated_time)
   select ${name}, 'bench', ${FIRST} + n, ${FIRST} + n from ${models}`,
  `insert into registered_model_tags (name, key, value)
   select ${name}, tag.key, tag.value from ${models}, lateral ${modelTags}`,
  `insert into model_versions (name, version, creation_time, last_updated_time, description, current_stage, source,
     storage_location, run_id, status, run_link)
   select ${name}, v, ${time}, ${time}, 'bench', ${stage}, 'runs:/' || ${run} || '/model',
     'runs:/' || ${run} || '/model', ${run}, 'READY', '' from ${versions}`,
  `insert into model_version_tags (name, version, key, value)
   select ${name}, v, tag.key, tag.value from ${versions}, lateral ${versionTags}`,
  `insert into registered_model_aliases (name, alias, version) select ${name}, 'champion', ${CHAMPION} from ${models}`,
  `vacuum analyze`,
];

/** Fills the registry. Throws when a model written so is not what the API would have made. */
export async function loadRegistry(target: Target): Promise<void> {
  for (const statement of target.name === "plinth" ? plinth : mlflow) {
    await query(target.database, statement, statement.includes("$1") ? [MODELS] : []);
  }
  await registerReference(target);
  const [expected, found] = await Promise.all(
    ["reference", modelName(1)].map((one) => describe(target, one)),
  );
  if (expected !== found) {
    throw new Error(
      `${target.name}: a model written into the tables is not the one the API makes:\n${found}\n${expected}`,
    );
  }
  // Out of the way of the searches, which count on what they find.
  await query(
    target.database,
    target.name === "plinth"
      ? "delete from registry.registered_models where name = 'reference'"
      : `with a as (delete from registered_model_aliases where name = 'reference'),
           b as (delete from model_version_tags where name = 'reference'),
           c as (delete from registered_model_tags where name = 'reference'),
           d as (delete from model_versions where name = 'reference')
         select 1`,
  );
  if (target.name !== "plinth") {
    await query(target.database, "delete from registered_models where name = 'reference'");
  }
}

/** Model 1 as a client makes it. */
async function registerReference(target: Target): Promise<void> {
  const model = "reference";
  const tags = [
    { key: "team", value: "t1" },
    { key: "task", value: "classification" },
  ];
  await post(target, "registered-models/create", { name: model, description: "bench", tags });
  for (let v = 1; v <= VERSIONS_EACH; v++) {
    const id = String(v).padStart(32, "0");
    await post(target, "model-versions/create", {
      name: model,
      source: `runs:/${id}/model`,
      run_id: id,
      description: "bench",
      tags: [{ key: "quality", value: `q${v % 3}` }],
    });
    const moved = STAGES[v];
    if (moved === undefined) continue;
    const move = { name: model, version: String(v), stage: moved, archive_existing_versions: false };
    await post(target, "model-versions/transition-stage", move);
  }
  await post(target, "registered-models/alias", {
    name: model,
    alias: "champion",
    version: String(CHAMPION),
  });
}

/** A model and its champion as the API answers them, without what must differ. */
async function describe(target: Target, model: string): Promise<string> {
  const answers = await Promise.all([
    get(target, `registered-models/get?name=${model}`),
    get(target, `registered-models/alias?name=${model}&alias=champion`),
  ]);
  return JSON.stringify(sorted(answers))
    .replaceAll(model, "<name>")
    .replaceAll(/\b[0-9a-f]{32}\b/g, "<run>")
    .replaceAll(/"(creation|last_updated)_timestamp":"?\d+"?/g, '"$1_timestamp":0');
}

/** Keys and lists in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map((one: unknown) => JSON.stringify(sorted(one))).toSorted();
    return items.map((item) => JSON.parse(item) as unknown);
  }
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one)]));
}
