import type { Database, Prepared, Row } from "../../kernel/database.ts";
import { alreadyExists, notFound } from "../../kernel/errors.ts";
import { createMicroClock } from "../../kernel/micros.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import { syncBuiltinFlavors } from "../../modules/pipelines/index.ts";
import { textOf, type Entity } from "./entity.ts";
import { loadModelLinks, loadProject, type ProjectCounts } from "./load-project.ts";
import { loadShared } from "./load-shared.ts";
import { createMapping } from "./mapping.ts";
import type { ZenmlSource } from "./source.ts";

export type ZenmlImportOptions = {
  /** Names of projects; all of the source's where nothing is said. */
  projects: readonly string[];
  /** The name here of the one project that is brought over. */
  into?: string | undefined;
};

export type ZenmlImportReport = {
  source: string;
  version: string;
  shared: Readonly<Record<string, number>>;
  projects: readonly { name: string; into: string; counts: ProjectCounts }[];
  seconds: number;
};

export type ZenmlImportDeps = {
  database: Database;
  secrets: Secrets;
  source: ZenmlSource;
  signal: AbortSignal;
  onProgress(progress: { project: string | undefined; kind: string; done: number; total: number }): void;
};

/**
 * Brings a ZenML server over: its users (inactive), stacks with components, connectors and secrets, and the projects
 * with pipelines, snapshots, runs, steps, artifacts and models. Ids and times stay as they were, so that clients and
 * scripts find what they knew. One transaction: what is stopped leaves nothing behind, and nothing is seen before all
 * of it is there. What an earlier import brought is left alone, so that another one brings what came since.
 */
export async function importZenml(
  deps: ZenmlImportDeps,
  options: ZenmlImportOptions,
): Promise<ZenmlImportReport> {
  const { database, secrets, source, signal } = deps;
  const since = performance.now();
  const wanted = await chosenProjects(source, options);
  // What every Plinth has, also one that was never started: the source's components are of these flavors.
  await syncBuiltinFlavors({ database, clock: createMicroClock(Date.now) }, { isForced: false });
  return database.transaction(async (transaction) => {
    let project: string | undefined;
    const writer = {
      transaction,
      source,
      secrets,
      progress: (kind: string, done: number, total: number): void =>
        deps.onProgress({ project, kind, done, total }),
      goOn: (): void => signal.throwIfAborted(),
    };
    const mapping = createMapping();
    const shared = await loadShared(writer, mapping);
    const projects: { name: string; into: string; counts: ProjectCounts }[] = [];
    for (const one of wanted) {
      const name = one.name ?? "";
      const into = options.into ?? name;
      project = name;
      const [row] = await transaction.prepared<{ workspace_id: number } & Row>(putProjectText, [
        one.id,
        into,
        textOf(one, "display_name"),
        textOf(one, "description"),
        Date.now(),
      ]);
      if (row === undefined) throw alreadyExists(`The project '${into}' is just being imported or deleted.`);
      const counts = await loadProject(writer, { workspaceId: row.workspace_id, mapping }, one);
      projects.push({ name, into, counts });
    }
    project = undefined;
    const links = await loadModelLinks(writer);
    return {
      source: source.address,
      version: source.version,
      shared: { ...shared, "links of models": links },
      projects,
      seconds: (performance.now() - since) / 1000,
    };
  });
}

/** The project of this name; made with the source's id where there is none, if that id is free. */
const putProjectText: Prepared = {
  name: "zenml_import_put_project",
  text: `
    with added as (
      insert into identity.workspaces (name, uuid, display_name, description, creation_timestamp, last_updated_timestamp)
      select $2, case when exists (select from identity.workspaces where uuid = $1::uuid) then gen_random_uuid() else $1::uuid end,
        $3, $4, $5::bigint, $5::bigint
      where not exists (select from identity.workspaces where name = $2)
      returning workspace_id
    )
    select workspace_id from added
    union all select workspace_id from identity.workspaces where name = $2 and not hidden`,
};

async function chosenProjects(source: ZenmlSource, options: ZenmlImportOptions): Promise<Entity[]> {
  const all: Entity[] = [];
  for await (const { items } of source.pages("/projects")) all.push(...items);
  if (options.projects.length === 0) return all;
  return options.projects.map((name) => {
    const found = all.find((one) => one.name === name || one.id === name);
    if (found === undefined) {
      const names = all.map((one) => one.name).join(", ");
      throw notFound(`The source has no project '${name}'; it has: ${names}.`);
    }
    return found;
  });
}
