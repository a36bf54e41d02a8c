import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { TestServer } from "./harness.ts";
import type { S3Server } from "./s3-server.ts";

/** Rows that log records refer to, made as few as they need to be. */
export type LogWorld = {
  projectId: string;
  runId: string;
  stepId: string;
  snapshotId: string;
  /** A version of a new artifact; gives its id. */
  artifactVersion(
    given: { name: string; uri: string; store: string | null },
    visualizations?: readonly { type: string; uri: string }[],
  ): Promise<string>;
  /** A component of a flavor, by its configuration; gives its id. */
  component(
    given: Partial<{ name: string; type: string; flavor: string; user: string | null }>,
    configuration: object,
  ): Promise<string>;
};

const one = async (server: TestServer, text: string, values: readonly unknown[] = []): Promise<string> => {
  const name = `test_${text.replaceAll(/\W+/g, "_").slice(0, 50)}`;
  const [row] = await server.database.prepared<{ id: string }>({ name, text }, values);
  return row?.id ?? "";
};

export async function logWorld(
  server: TestServer,
  workspace: string,
  owner: string | null,
): Promise<LogWorld> {
  const projectId = await one(server, "select uuid as id from identity.workspaces where name = $1", [
    workspace,
  ]);
  const at = "(select workspace_id from identity.workspaces where name = $1)";
  const snapshotId = await one(
    server,
    `insert into pipelines.snapshots (id, workspace_id, step_count, run_name_template, pipeline_configuration_json, client_environment_json, created, updated)
     values (gen_random_uuid(), ${at}, 1, '', '{}', '{}', 1, 1) returning id`,
    [workspace],
  );
  const runId = await one(
    server,
    `insert into pipelines.runs (id, workspace_id, user_id, name, snapshot_id, status, in_progress, index, created, updated)
     values (gen_random_uuid(), ${at}, $2::uuid, 'run-' || gen_random_uuid(), $3::uuid, 'running', true, 1, 1, 1) returning id`,
    [workspace, owner, snapshotId],
  );
  const stepId = await one(
    server,
    `insert into pipelines.steps (id, workspace_id, user_id, run_id, snapshot_id, name, version, status, created, updated)
     values (gen_random_uuid(), ${at}, $2::uuid, $3::uuid, $4::uuid, 'step', 1, 'running', 1, 1) returning id`,
    [workspace, owner, runId, snapshotId],
  );
  return {
    projectId,
    runId,
    stepId,
    snapshotId,
    async artifactVersion({ name, uri, store }, visualizations = []) {
      const artifactId = await one(
        server,
        `insert into pipelines.artifacts (id, workspace_id, user_id, name, created, updated)
         values (gen_random_uuid(), ${at}, $2::uuid, $3, 1, 1) returning id`,
        [workspace, owner, name],
      );
      const id = await one(
        server,
        `insert into pipelines.artifact_versions
           (id, workspace_id, user_id, artifact_id, version, version_number, type, uri, materializer_json, data_type_json, artifact_store_id, save_type, created, updated)
         values (gen_random_uuid(), ${at}, $2::uuid, $3::uuid, '1', 1, 'DataArtifact', $4, '{}', '{}', $5::uuid, 'step_output', 1, 1) returning id`,
        [workspace, owner, artifactId, uri, store],
      );
      for (const [position, visualization] of visualizations.entries()) {
        await one(
          server,
          `insert into pipelines.artifact_visualizations (id, artifact_version_id, position, type, uri, created, updated)
           values (gen_random_uuid(), $1::uuid, $2::integer, $3, $4, 1, 1) returning id`,
          [id, position, visualization.type, visualization.uri],
        );
      }
      return id;
    },
    component: (
      { name = `c-${randomUUID()}`, type = "artifact_store", flavor = "s3", user = owner },
      configuration,
    ) =>
      one(
        server,
        `insert into pipelines.components (id, user_id, name, type, flavor_name, configuration_json, created, updated)
         values (gen_random_uuid(), $1::uuid, $2, $3, $4, $5, 1, 1) returning id`,
        [user, name, type, flavor, JSON.stringify(configuration)],
      ),
  };
}

/** Of an artifact store in a server's bucket. */
export const s3Configuration = (s3: S3Server, path = "store"): object => ({
  path: `s3://${s3.bucket}/${path}`,
  key: s3.accessKeyId,
  secret: s3.secretAccessKey,
  client_kwargs: s3.clientKwargs,
});

export async function newLogs(server: TestServer, about: object): Promise<string> {
  const answer = await server.post("/api/v1/logs", about);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.id as string;
}

/** A line as the client of 0.98 writes it, at a second of 2026. */
export const logLine = (at: number, fields: object = {}): string =>
  `${JSON.stringify({
    message: `message ${at}`,
    name: "unknown",
    level: 20,
    timestamp: new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString(),
    chunk_index: 0,
    total_chunks: 1,
    id: `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`,
    ...fields,
  })}\n`;
