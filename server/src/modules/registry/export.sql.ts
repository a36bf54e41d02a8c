import { columnsOf, intArray, type Table } from "../../kernel/table.ts";

/** The registered models of these workspaces, with all that belongs to them. */
export function registryTables(workspaceIds: readonly number[]): Table[] {
  const from = `registry.registered_models as m join identity.workspaces as w using (workspace_id)`;
  const where = `where w.workspace_id = any(${intArray(workspaceIds)})`;
  const versions = `${from} join registry.model_versions as v using (model_key)`;
  return [
    {
      name: "registered_models",
      columns: columnsOf({
        name: "text",
        workspace: "text",
        description: "text",
        creation_time: "timestamp",
        last_update_time: "timestamp",
      }),
      select: `
        select m.name, w.name, m.description, m.creation_timestamp, m.last_updated_timestamp
        from ${from} ${where} order by m.model_key`,
    },
    {
      name: "registered_model_tags",
      columns: columnsOf({ name: "text", workspace: "text", key: "text", value: "text" }),
      select: `
        select m.name, w.name, t.key, t.value from ${from} join registry.registered_model_tags as t using (model_key)
        ${where} order by m.model_key, t.key collate "C"`,
    },
    {
      name: "registered_model_aliases",
      columns: columnsOf({ name: "text", workspace: "text", alias: "text", version: "integer" }),
      select: `
        select m.name, w.name, a.alias, v.version
        from ${versions} join registry.aliases as a using (version_key) ${where} order by m.model_key, a.alias`,
    },
    {
      name: "model_versions",
      columns: columnsOf({
        name: "text",
        version: "integer",
        workspace: "text",
        stage: "text",
        status: "text",
        status_message: "text?",
        description: "text?",
        user_id: "text?",
        source: "text",
        storage_location: "text",
        run_id: "text?",
        run_link: "text?",
        model_id: "text?",
        creation_time: "timestamp",
        last_update_time: "timestamp",
      }),
      select: `
        select m.name, v.version, w.name, v.stage, v.status, v.status_message, v.description, v.user_id, v.source,
          v.storage_location, nullif(v.run_uuid, ''), nullif(v.run_link, ''), v.model_id, v.creation_timestamp,
          v.last_updated_timestamp
        from ${versions} ${where} order by m.model_key, v.version`,
    },
    {
      name: "model_version_tags",
      columns: columnsOf({
        name: "text",
        version: "integer",
        workspace: "text",
        key: "text",
        value: "text",
      }),
      select: `
        select m.name, v.version, w.name, t.key, t.value
        from ${versions} join registry.model_version_tags as t using (version_key)
        ${where} order by m.model_key, v.version, t.key collate "C"`,
    },
  ];
}
