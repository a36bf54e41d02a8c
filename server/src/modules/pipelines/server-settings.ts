import type { Database, Prepared, Row } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";

/** Settings of this server as ZenML's dashboard and clients know them. */
export type ServerSettings = {
  server_name: string;
  logo_url: string | null;
  enable_analytics: boolean;
  display_announcements: boolean;
  display_updates: boolean;
  updated: Micros;
};

export type ServerSettingsChange = Partial<Omit<ServerSettings, "updated">>;

/** How much there is on the server. */
export type ServerCounts = { stacks: number; components: number; projects: number };

export type ServerState = {
  settings(): Promise<ServerSettings>;
  /** What is undefined stays as it is. */
  updateSettings(change: ServerSettingsChange): Promise<ServerSettings>;
  /** Of components, only those of types that are not left out. */
  counts(options: { without: readonly string[] }): Promise<ServerCounts>;
  /** What has been done on the server of what newcomers are shown, in that order. */
  onboarding(): Promise<string[]>;
};

const COLUMNS = "server_name, logo_url, enable_analytics, display_announcements, display_updates, updated";

const selectText: Prepared = {
  name: "pipelines_select_server_settings",
  text: `select ${COLUMNS} from pipelines.server_settings`,
};

const updateText: Prepared = {
  name: "pipelines_update_server_settings",
  text: `
    update pipelines.server_settings set
      server_name = coalesce($1, server_name), logo_url = coalesce($2, logo_url),
      enable_analytics = coalesce($3::boolean, enable_analytics),
      display_announcements = coalesce($4::boolean, display_announcements),
      display_updates = coalesce($5::boolean, display_updates), updated = $6
    returning ${COLUMNS}`,
};

const countsText: Prepared = {
  name: "pipelines_select_server_counts",
  text: `
    select (select count(*) from pipelines.stacks) as stacks,
      (select count(*) from pipelines.components where type <> all ($1::text[])) as components,
      (select count(*) from identity.workspaces where not hidden) as projects`,
};

// Orchestrators that run where the client is.
const REMOTE = `c.type = 'orchestrator' and c.flavor_name not in ('local', 'local_docker')`;
const REMOTE_STORE = `c.type = 'artifact_store' and c.flavor_name <> 'local'`;
const stackWith = (condition: string): string => `exists (
  select from pipelines.components as c where ${condition}
    and exists (select from pipelines.stack_components as l where l.component_id = c.id))`;
const runWith = (condition: string): string => `exists (
  select from pipelines.components as c join pipelines.stack_components as l on l.component_id = c.id
  where ${condition} and exists (select from pipelines.runs as r where r.stack_id = l.stack_id))`;

const steps = {
  device_verified: "exists (select from identity.devices where status in ('verified', 'active'))",
  // The default one is one.
  project_created: "exists (select from identity.workspaces where not hidden)",
  pipeline_run: "exists (select from pipelines.runs)",
  stack_with_remote_orchestrator_created: stackWith(REMOTE),
  stack_with_remote_artifact_store_created: stackWith(REMOTE_STORE),
  pipeline_run_with_remote_orchestrator: runWith(REMOTE),
  pipeline_run_with_remote_artifact_store: runWith(REMOTE_STORE),
  pipeline_deployed: "exists (select from pipelines.deployments)",
} as const;

const onboardingText: Prepared = {
  name: "pipelines_select_onboarding",
  text: `select ${Object.entries(steps)
    .map(([name, condition]) => `${condition} as ${name}`)
    .join(", ")}`,
};

export function createServerState({ database, clock }: { database: Database; clock(): Micros }): ServerState {
  const one = <R extends Row>([row]: readonly R[]): R => {
    if (row === undefined) throw new Error("pipelines.server_settings has no row");
    return row;
  };
  return {
    settings: async () => one(await database.prepared<ServerSettings>(selectText, [])),
    async updateSettings(change) {
      const values = [
        change.server_name ?? null,
        change.logo_url ?? null,
        change.enable_analytics ?? null,
        change.display_announcements ?? null,
        change.display_updates ?? null,
        clock(),
      ];
      return one(await database.prepared<ServerSettings>(updateText, values));
    },
    counts: async ({ without }) => one(await database.prepared<ServerCounts>(countsText, [without])),
    async onboarding() {
      const row = one(await database.prepared<Record<keyof typeof steps, boolean>>(onboardingText, []));
      const done = (Object.keys(steps) as (keyof typeof steps)[]).filter((step) => row[step]);
      return done.includes("pipeline_deployed")
        ? [...done, "oss_onboarding_completed", "pro_onboarding_completed"]
        : done;
    },
  };
}
