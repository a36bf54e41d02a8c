import { compareVersions } from "../../schemas/versions.ts";
import type { Rule } from "../rule.ts";
import { codeLines, proseLines } from "../text-lines.ts";

type Component = {
  name: string;
  /** How settings of versions name it. */
  setting: RegExp;
  /** Repository of its releases, and charts that carry its version. */
  source: string;
  charts: readonly string[];
  /** The oldest release that is still looked after, or that does not have known holes. */
  oldest: string;
  why: string;
};

/** Only components whose line is known to have ended: everything else may be old on purpose. */
const COMPONENTS: readonly Component[] = [
  {
    name: "KServe",
    setting: /^kserve_version$/,
    source: "kserve/kserve",
    charts: ["kserve", "kserve-crd", "kserve-resources"],
    oldest: "0.17.0",
    why: "0.20.0 is current, and needs Kubernetes 1.32 and cert-manager 1.15",
  },
  {
    name: "Knative Serving",
    setting: /^knative(?:_serving)?_version$/,
    source: "knative/serving",
    charts: [],
    oldest: "1.19.0",
    why: "1.23.0 is current; KServe 0.20 is built with 1.21.1",
  },
  {
    name: "cert-manager",
    setting: /^cert_?manager_version$/,
    source: "cert-manager/cert-manager",
    charts: ["cert-manager"],
    oldest: "1.17.0",
    why: "1.21.1 is current, and only the last two minor releases get fixes",
  },
  {
    name: "MLflow",
    setting: /^mlflow_version$/,
    source: "mlflow/mlflow",
    charts: [],
    oldest: "3.9.1",
    why: "releases up to 3.9.0 have known holes (CVE-2024-1483, CVE-2024-2928 and newer ones)",
  },
];

const SETTING = /^\s*-?\s*["']?(?<key>\w+_version)["']?\s*[:=]\s*["']?v?(?<version>\d+\.\d+(?:\.\d+)?)["']?/i;
const DOWNLOAD =
  /github\.com\/(?<source>[\w-]+\/[\w-]+)\/releases\/download\/(?:knative-)?v(?<version>\d+\.\d+\.\d+)\//;

export const endedVersion: Rule = {
  id: "version/ended",
  severity: "warning",
  covers: ["E40"],
  title: "a release that no longer gets fixes",
  why: "Known holes stay open, and newer Kubernetes releases drop what it needs.",
  remedy: "Take a release that is looked after; look at its notes for what has to change.",
  *check(workspace) {
    const releases = workspace.releases.map(({ chart, version, file, line }) => ({
      chart,
      version,
      file,
      line,
    }));
    for (const { file, line, text } of [...codeLines(workspace), ...proseLines(workspace)]) {
      const { key, version } = SETTING.exec(text)?.groups ?? {};
      const download = DOWNLOAD.exec(text)?.groups;
      const component = COMPONENTS.find(
        (one) =>
          (key !== undefined && one.setting.test(key.toLowerCase())) || one.source === download?.["source"],
      );
      const message =
        component === undefined ? undefined : complaint(component, version ?? download?.["version"]);
      if (message !== undefined) yield { file, line, message };
    }
    for (const { chart, version, file, line } of releases) {
      const component = COMPONENTS.find(({ charts }) => charts.includes(chart));
      const message = component === undefined ? undefined : complaint(component, version);
      if (message !== undefined) yield { file, line, message };
    }
  },
};

function complaint({ name, oldest, why }: Component, version: string | undefined): string | undefined {
  const difference = version === undefined ? undefined : compareVersions(version, oldest);
  return difference === undefined || difference >= 0
    ? undefined
    : `${name} ${version} is out of support: ${why}`;
}

export const versionRules: readonly Rule[] = [endedVersion];
