import type { Plan } from "../../plan.ts";
import type { Reason } from "../resource.ts";
import { charts, type Chart } from "../versions.ts";
import type { ChartName, Part, Workload } from "./part.ts";
import { partsOf } from "./parts.ts";
import { platformParts } from "./platform.ts";

/** What Argo CD applies as one: the unit of order and of health. */
export type Application = {
  /** Name of the Application and of its folders. */
  name: string;
  title: string;
  namespace: string;
  /** Applications that are healthy before this one is applied, by name. Those that the environment does not have are passed over. */
  after: readonly string[];
  sources: readonly Source[];
  because: readonly Reason[];
  /** Large custom resources do not fit into the annotation of client-side apply (E33). */
  serverSide?: boolean;
  /** Holds data or what data hangs on: Argo CD never removes its objects by itself. */
  keep?: boolean;
  /** Fields that controllers or charts write, with which Git would fight. */
  ignoreDifferences?: readonly IgnoredDifference[];
};

export type Source =
  /** `valuesFrom`: files in the Git repository, below the output folder. */
  | {
      kind: "chart";
      chart: Chart;
      release: string;
      values?: object;
      valuesFrom?: readonly string[];
      skipCrds?: boolean;
    }
  /** A folder of the output. */
  | { kind: "folder"; path: string }
  /** A folder of plain files in a project's own repository. */
  | { kind: "upstream"; repository: string; revision: string; path: string };

export type IgnoredDifference = {
  group?: string;
  kind: string;
  name?: string;
  jsonPointers?: readonly string[];
  jqPathExpressions?: readonly string[];
};

/** A part of the platform itself: an Application, and the pods it brings. */
export type PlatformPart = Application & { workloads: readonly Workload[] };

/** Everything that Argo CD applies, earliest first. */
export function applicationsOf(plan: Plan): (Application & { wave: number })[] {
  const applications = [...platformParts(plan), ...partsOf(plan).map((part) => fromPart(plan, part))];
  const waves = wavesOf(applications);
  return applications
    .map((application) => ({ ...application, wave: waves.get(application.name) ?? 0 }))
    .sort((a, b) => a.wave - b.wave || (a.name < b.name ? -1 : 1));
}

/** The first wave: namespaces and custom resources. */
const FIRST_WAVE = -5;

/** Each application one wave after the last of those it waits for. */
export function wavesOf(applications: readonly Pick<Application, "name" | "after">[]): Map<string, number> {
  const byName = new Map(applications.map((application) => [application.name, application]));
  const waves = new Map<string, number>();
  const waveOf = (name: string, waiting: readonly string[]): number => {
    const known = waves.get(name);
    if (known !== undefined) return known;
    if (waiting.includes(name))
      throw new Error(`Applications wait for each other: ${[...waiting, name].join(", ")}.`);
    const after = (byName.get(name)?.after ?? []).filter((other) => byName.has(other));
    const wave = Math.max(FIRST_WAVE, ...after.map((other) => waveOf(other, [...waiting, name]) + 1));
    waves.set(name, wave);
    return wave;
  };
  for (const { name } of applications) waveOf(name, []);
  return waves;
}

function fromPart(plan: Plan, part: Part): Application {
  const { name, title, namespace, after, overlay, chart } = part;
  const holdsData = part.workloads.some(({ name: pods }) => pods === "minio" || isDatabase(plan, pods));
  return {
    name,
    title,
    namespace,
    // Pods start behind their rules.
    after: ["network-policies", ...after],
    because: [{ setting: settingOf(plan, part), why: title }],
    sources: [
      ...(chart === undefined
        ? []
        : [
            {
              kind: "chart" as const,
              chart: chartOf(plan, chart.name),
              release: chart.release,
              valuesFrom: chart.valueFiles,
            },
          ]),
      { kind: "folder", path: overlay },
    ],
    ...(holdsData ? { keep: true } : {}),
    // An autoscaler sets the number of replicas, which no manifest names then; KServe and the operators fill in defaults.
    ...(name === "models" ? { serverSide: true } : {}),
  };
}

const isDatabase = ({ tracking, pipelines }: Plan, name: string): boolean =>
  name === tracking.database.server || name === pipelines?.database.server;

/** The setting that a part is there for. */
function settingOf(plan: Plan, part: Part): string {
  const { tracking, pipelines } = plan;
  if (part.name === tracking.name) return "tracking.engine";
  if (part.name === tracking.database.server) return "tracking.database.engine";
  if (part.name === pipelines?.name) return "pipelines.engine";
  if (part.name === pipelines?.database.server) return "pipelines.database.engine";
  return part.name === "minio" ? "objectStore.engine" : "serving.engine";
}

/** ZenML's chart has the version of its server, which is a setting. */
function chartOf({ environment: { pipelines } }: Plan, name: ChartName): Chart {
  return pipelines.engine === name ? { ...charts[name], version: pipelines.version } : charts[name];
}
