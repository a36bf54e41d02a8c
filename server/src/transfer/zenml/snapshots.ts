import {
  codeReferences,
  dagNodeOf,
  insertSnapshotSteps,
  maxRetriesOf,
  snapshots,
  type JsonObject,
  type NewRow,
  type NewSnapshotStep,
} from "../../modules/pipelines/index.ts";
import {
  fieldOf,
  flagOf,
  idOf,
  jsonOf,
  objectJsonOf,
  recordOf,
  stampsOf,
  textOf,
  userOf,
  type Entity,
} from "./entity.ts";
import { codeReferenceRow, type Into } from "./project-rows.ts";
import { put, putTags, type Writer } from "./writer.ts";

export type LoadedSnapshots = {
  count: number;
  /** Whether the steps of its runs have their configuration with them. */
  isDynamic(snapshotId: string): boolean;
};

/** Lists tell snapshots without their steps, which are asked for one snapshot each, so many at a time. */
const AT_ONCE = 8;

/** Called deployments before 0.90. */
export async function loadSnapshots(writer: Writer, into: Into, project: Entity): Promise<LoadedSnapshots> {
  const { source } = writer;
  const parameters = { project: project.id };
  const path = (await source.has("/pipeline_snapshots", parameters))
    ? "/pipeline_snapshots"
    : "/pipeline_deployments";
  const dynamic = new Set<string>();
  const derived: { id: string; from: string }[] = [];
  let count = 0;
  for await (const { items, total } of source.pages(path, { ...parameters, hydrate: false })) {
    for (let at = 0; at < items.length; at += AT_ONCE) {
      writer.goOn();
      const whole = await Promise.all(
        items.slice(at, at + AT_ONCE).map((one) => source.get(`${path}/${one.id}`)),
      );
      for (const one of whole) {
        await putSnapshot(writer, into, one);
        if (flagOf(one, "is_dynamic")) dynamic.add(one.id);
        const from = textOf(one, "source_snapshot_id");
        if (from !== null) derived.push({ id: one.id, from });
      }
      await putTags(writer, into, { items: whole, resourceType: "pipeline_snapshot" });
    }
    count += items.length;
    writer.progress(path.slice(1), count, total);
  }
  await writer.transaction.prepared(
    {
      name: "zenml_import_link_snapshots",
      text: `
        update pipelines.snapshots as t set source_snapshot_id = o.id
        from json_to_recordset($1::json) as r (id uuid, "from" uuid) join pipelines.snapshots as o on o.id = r."from"
        where t.id = r.id`,
    },
    [JSON.stringify(derived)],
  );
  return { count, isDynamic: (id) => dynamic.has(id) };
}

async function putSnapshot(writer: Writer, into: Into, one: Entity): Promise<void> {
  const reference = fieldOf(one, "code_reference");
  if (reference !== null) {
    await put(writer, codeReferences, [codeReferenceRow(reference as Entity, into)]);
  }
  const steps = Object.entries(recordOf(one, "step_configurations")).map(([name, step]) =>
    stepOf(name, step as GivenStep),
  );
  const added = await put(writer, snapshots, [snapshotRow(one, into, steps.length)]);
  if (added > 0) await insertSnapshotSteps(writer.transaction, one.id, steps);
}

const snapshotRow = (
  one: Entity,
  { workspaceId, mapping }: Into,
  stepCount: number,
): NewRow<typeof snapshots> => ({
  id: one.id,
  workspace_id: workspaceId,
  user_id: mapping.users.get(userOf(one)),
  name: one.name ?? null,
  description: textOf(one, "description"),
  pipeline_id: idOf(one, "pipeline") ?? textOf(one, "pipeline_id"),
  stack_id: mapping.stacks.get(idOf(one, "stack")),
  build_id: idOf(one, "build"),
  schedule_id: idOf(one, "schedule"),
  code_reference_id: idOf(one, "code_reference"),
  is_dynamic: flagOf(one, "is_dynamic"),
  step_count: stepCount,
  run_name_template: textOf(one, "run_name_template") ?? "",
  pipeline_configuration_json: objectJsonOf(one, "pipeline_configuration"),
  client_environment_json: objectJsonOf(one, "client_environment"),
  client_version: textOf(one, "client_version"),
  server_version: textOf(one, "server_version"),
  pipeline_version_hash: textOf(one, "pipeline_version_hash"),
  pipeline_spec_json: jsonOf(one, "pipeline_spec"),
  source_code: textOf(one, "source_code"),
  code_path: textOf(one, "code_path"),
  ...stampsOf(one),
});

type GivenStep = {
  spec: JsonObject;
  config: JsonObject;
  step_config_overrides?: JsonObject | null;
};

/** The source has laid what a step says over what its pipeline says already. */
function stepOf(
  name: string,
  { spec, config, step_config_overrides: overrides }: GivenStep,
): NewSnapshotStep {
  const upstream = spec["upstream_steps"];
  // Clients of 0.84 and 0.98 call it otherwise.
  const called = spec["invocation_id"] ?? spec["pipeline_parameter_name"] ?? name;
  return {
    name,
    upstream: Array.isArray(upstream) ? upstream.map(String) : [],
    spec_json: JSON.stringify({ ...spec, invocation_id: called, pipeline_parameter_name: called }),
    overrides_json: JSON.stringify(overrides ?? config),
    config_json: JSON.stringify(config),
    node_json: JSON.stringify(dagNodeOf(spec, config)),
    max_retries: maxRetriesOf(config),
  };
}
