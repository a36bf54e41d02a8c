import { createHash } from "node:crypto";
import { invalidParameter } from "../../kernel/errors.ts";
import type { OnProblem } from "./problem.ts";
import { composeArtifacts } from "./artifacts-compose.ts";
import { serverArtifacts } from "./artifacts-server.ts";
import {
  CONNECTIONS,
  createRestClient,
  type RestCall,
  type RestClient,
  type RestOptions,
} from "./rest-client.ts";
import {
  hasLoggedModels,
  loggedModelPages,
  modelVersionPages,
  promptNames,
  registeredModelPages,
} from "./rest-models.ts";
import { inOrder, readAnswer, searchPages, type RestWorkspace } from "./rest-pages.ts";
import { createPointReader } from "./rest-points.ts";
import {
  experimentIds,
  experimentPages,
  inExperiments,
  orUndefined,
  scoped,
  type Reading,
} from "./rest-reading.ts";
import { experimentPage, oneRun, runPage, serverInfo, workspaceList, type RunAnswer } from "./rest-shapes.ts";
import type { Cursor, ImportSource, RunPage, SourceArtifacts, SourceRun, SourceWorkspace } from "./source.ts";

export type RestSourceOptions = RestOptions & {
  onProblem: OnProblem;
  /** Reads what the server only names: folders of this machine, buckets. Asked before the server itself is. */
  artifacts?: SourceArtifacts | undefined;
  /** Copies also files in `s3://` and other places that clients reach by themselves, as far as the server reads them. */
  copyRemote?: boolean;
};

/** The newest MLflow whose answers are known, and the first whose may be others. */
const KNOWN = [3, 17] as const;

const PAGE_RUNS = 250;

type Found = {
  client: RestClient;
  workspaces: SourceWorkspace[] | undefined;
  version: string;
  birth: number | null;
};

/** Any MLflow tracking server of 2.9 to 3.17, read over its REST API; other servers that speak it, too. */
export async function openRestSource(options: RestSourceOptions): Promise<ImportSource> {
  const client = createRestClient(options);
  try {
    return createSource(await lookAround(client), options);
  } catch (error) {
    client.close();
    throw error;
  }
}

async function lookAround(client: RestClient): Promise<Found> {
  const call: RestCall = {
    method: "POST",
    path: "/api/2.0/mlflow/experiments/search",
    body: { max_results: 1, view_type: "ALL", order_by: ["experiment_id ASC"] },
    attempts: 3,
  };
  const info = await orUndefined(
    client.json({ method: "GET", path: "/api/3.0/mlflow/server-info", attempts: 2 }),
  );
  const hasWorkspaces = serverInfo.safeParse(info).data?.workspaces_enabled === true;
  const [first] = readAnswer(client, call, [experimentPage, await client.json(call)]).experiments;
  const version =
    (await orUndefined(client.text({ method: "GET", path: "/version", attempts: 2 })))?.trim() ?? "";
  if (Number(/^(\d+)\./.exec(version)?.[1] ?? 0) > KNOWN[0]) {
    throw invalidParameter(
      `The server at ${client.address} is MLflow ${version.slice(0, 40)}; ` +
        `this Plinth knows MLflow up to ${KNOWN.join(".")}. Use a newer Plinth.`,
    );
  }
  return {
    client,
    version,
    birth: first?.creation_time ?? null,
    workspaces: hasWorkspaces ? await listWorkspaces(client) : undefined,
  };
}

async function listWorkspaces(client: RestClient): Promise<SourceWorkspace[]> {
  const call: RestCall = { method: "GET", path: "/api/3.0/mlflow/workspaces" };
  const { workspaces } = readAnswer(client, call, [workspaceList, await client.json(call)]);
  return workspaces
    .map((workspace) => ({ ...workspace, trace_archival_location: null, trace_archival_retention: null }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function createSource(
  { client, workspaces, version, birth }: Found,
  options: RestSourceOptions,
): ImportSource {
  const isVersion = /^\d+\.\d+/.test(version);
  const major = Number(/^(\d+)\./.exec(version)?.[1] ?? 0);
  const readPoints = createPointReader(client, major >= 3 ? 100 : 20);
  const scopes: RestWorkspace[] = workspaces?.map(({ name }) => name) ?? [undefined];
  const reading: Reading = { client, scopes, readPoints };
  const own = serverArtifacts(client, {
    copyRemote: options.copyRemote === true,
    onProblem: options.onProblem,
  });
  return {
    description: {
      kind: "rest",
      place: client.address,
      version: isVersion
        ? `MLflow ${version.slice(0, 40)} (as its server says)`
        : "a server that does not say its version",
      fingerprint: createHash("sha256").update(`rest\n${client.address}\n${birth}`).digest("hex"),
      snapshot: false,
      notes: [
        "A server is not read as of one moment: nothing should be written to it, and nothing purged, meanwhile.",
        "Deleted logged models, the times at which runs were deleted, and traces are not readable over REST.",
      ],
    },
    count: () => countAll(reading),
    workspaces: async () => workspaces ?? [],
    async *experiments(after) {
      for await (const { workspace, page, cursor } of scoped(reading, after, experimentPages)) {
        yield {
          rows: page.experiments.map((row) => ({ workspace: workspace ?? "default", ...row })),
          cursor,
        };
      }
    },
    async *datasets() {
      // They come with the runs that used them.
    },
    runs: (after) => runPages(reading, after),
    loggedModels: (after) => loggedModelPages(reading, after),
    registeredModels: (after) => registeredModelPages(reading, after),
    modelVersions: (after) => modelVersionPages(reading, after),
    artifacts: options.artifacts === undefined ? own : composeArtifacts([options.artifacts, own]),
    close: async () => client.close(),
  };
}

async function* runPages(reading: Reading, after: Cursor): AsyncGenerator<RunPage> {
  const { client, readPoints } = reading;
  const pages = inExperiments(reading, after, (workspace, experiment, from) =>
    searchPages(client, {
      method: "POST",
      path: "/api/2.0/mlflow/runs/search",
      // Runs that begin meanwhile come last, so that no page shifts.
      body: { experiment_ids: [experiment], run_view_type: "ALL", order_by: ["attributes.start_time ASC"] },
      workspace,
      shape: runPage,
      max: PAGE_RUNS,
      from,
    }),
  );
  const withModels = await hasLoggedModels(reading);
  for await (const { workspace, page, cursor } of pages) {
    if (withModels) await addModelInputs(client, page.runs, workspace);
    const runs = page.runs.map((run) => ({ id: idOf(run), run }));
    yield {
      rows: runs.map(({ id, run }) => asRun(id, run)),
      cursor,
      points: () => readPoints(runs, workspace),
    };
  }
}

const idOf = ({ info }: RunAnswer): string => info.run_id ?? info.run_uuid ?? "";

/** MLflow's search leaves the models out that a run used; asked for by its id, a run has them. */
async function addModelInputs(
  client: RestClient,
  runs: readonly RunAnswer[],
  workspace: RestWorkspace,
): Promise<void> {
  const tasks = runs.map((run) => async (): Promise<void> => {
    const call: RestCall = {
      method: "GET",
      path: "/api/2.0/mlflow/runs/get",
      query: [["run_id", idOf(run)]],
      workspace,
    };
    const { run: whole } = readAnswer(client, call, [oneRun, await client.json(call)]);
    run.inputs.model_inputs = whole.inputs.model_inputs;
  });
  for await (const _ of inOrder(tasks, CONNECTIONS));
}

function asRun(id: string, { info, data, inputs, outputs }: RunAnswer): SourceRun {
  if (id === "") throw invalidParameter("The server answers with a run that has no id.");
  return {
    run_uuid: id,
    experiment_id: info.experiment_id,
    name: info.run_name,
    user_id: info.user_id,
    status: info.status,
    start_time: info.start_time,
    end_time: info.end_time,
    lifecycle_stage: info.lifecycle_stage,
    deleted_time: null,
    artifact_uri: info.artifact_uri,
    params: data.params,
    tags: data.tags,
    datasets: inputs.dataset_inputs.map(({ tags, dataset: { name, digest, ...dataset } }) => ({
      name,
      digest,
      tags,
      dataset,
    })),
    model_inputs: inputs.model_inputs,
    model_outputs: outputs.model_outputs,
    latest_metrics: data.metrics,
  };
}

async function countAll(reading: Reading): ReturnType<ImportSource["count"]> {
  let experiments = 0;
  let prompts = 0;
  for (const workspace of reading.scopes) {
    experiments += (await experimentIds(reading, workspace)).length;
    prompts += (await promptNames(reading, workspace)).size;
  }
  return {
    experiments,
    runs: undefined,
    points: undefined,
    datasets: undefined,
    logged_models: undefined,
    registered_models: undefined,
    model_versions: undefined,
    not_imported: prompts === 0 ? {} : { prompts },
  };
}
