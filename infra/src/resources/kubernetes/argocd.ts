import { argoProjectName, namespaces, repositoryFolder } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { DocumentResource, ManifestResource, Reason, Resource, TextResource } from "../resource.ts";
import { applicationsOf, type Application, type Source } from "./application.ts";
import { argoCdValues, clusterKinds } from "./argocd-settings.ts";
import { namespacesOf } from "./namespaces.ts";

/** Folder of the Applications, below the output folder. */
export const applicationsFolder = "k8s-manifests/argocd-apps";

/** Name of the App of Apps. */
export const rootApplicationName = "mlops-stack";

/** Where Argo CD runs, and what it is installed with; Terraform's platform stage reads the values. */
export const argoCdValuesFile = "k8s-manifests/argocd/values.yaml";

const IN_CLUSTER = "https://kubernetes.default.svc";

export function argoCd(plan: Plan): Resource[] {
  const applications = applicationsOf(plan);
  return [
    values(plan),
    bootstrapProject(plan),
    root(plan),
    project(plan, applications),
    ...applications.map((application) => manifest(plan, application)),
    listing(applications),
    guide(applications),
  ];
}

const because: readonly Reason[] = [
  { setting: "gitOps.repository", why: "Argo CD keeps the cluster as this repository says" },
];

const values = (plan: Plan): DocumentResource => ({
  kind: "document",
  file: argoCdValuesFile,
  because,
  comment: "Values of the chart argo-cd. Terraform's platform stage installs it with them.",
  value: argoCdValues(plan),
  notes: {
    'configs.cm["resource.customizations.health.argoproj.io_Application"]':
      "Argo CD has no health for Applications since 1.8: without this script an App of Apps does not wait for a wave before it begins the next.",
    'configs.cm["resource.compareoptions"]': "Their rules are filled in by the API server.",
  },
});

const metadata = (name: string, wave?: number): ManifestResource["object"]["metadata"] => ({
  name,
  namespace: namespaces.argoCd,
  ...(wave === undefined ? {} : { annotations: { "argocd.argoproj.io/sync-wave": String(wave) } }),
});

/** What `make gitops-deploy-mlops-stack` applies: it brings everything else. */
function root(plan: Plan): ManifestResource {
  return {
    kind: "manifest",
    file: `${applicationsFolder}/mlops-stack-app.yaml`,
    because,
    comment: "The App of Apps: applied once, it applies the others in the order of their sync waves.",
    object: {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "Application",
      metadata: metadata(rootApplicationName),
      spec: {
        project: rootApplicationName,
        source: gitSource(plan, applicationsFolder),
        destination: { server: IN_CLUSTER, namespace: namespaces.argoCd },
        syncPolicy: syncPolicy({ prune: true, options: [] }),
      },
    },
    notes: {
      "spec.syncPolicy.automated.prune":
        "An Application that is no longer in Git goes; having no finalizer it leaves behind what it made.",
    },
  };
}

/** The App of Apps may make Applications and their project, nothing else. */
function bootstrapProject({ environment }: Plan): ManifestResource {
  return {
    kind: "manifest",
    file: `${applicationsFolder}/mlops-stack-app.yaml`,
    because,
    object: {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "AppProject",
      metadata: metadata(rootApplicationName),
      spec: {
        description: "The App of Apps: it makes Applications and nothing else",
        sourceRepos: [environment.gitOps.repository],
        destinations: [{ server: IN_CLUSTER, namespace: namespaces.argoCd }],
        namespaceResourceWhitelist: [
          { group: "argoproj.io", kind: "Application" },
          { group: "argoproj.io", kind: "AppProject" },
        ],
      },
    },
  };
}

function project(plan: Plan, applications: readonly Application[]): ManifestResource {
  const repositories = applications
    .flatMap(({ sources }) => sources)
    .map((source) => repositoryOf(plan, source));
  return {
    kind: "manifest",
    file: `${applicationsFolder}/project.yaml`,
    because,
    object: {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "AppProject",
      metadata: metadata(argoProjectName(plan.environment), -10),
      spec: {
        description: `What the platform ${plan.environment.platform} consists of`,
        sourceRepos: unique([plan.environment.gitOps.repository, ...repositories]),
        destinations: [
          ...namespacesOf(plan).map(({ name }) => ({ server: IN_CLUSTER, namespace: name })),
          ...(plan.environment.monitoring.engine === "prometheus-operator" ? [KUBE_SYSTEM] : []),
        ].sort((a, b) => (a.namespace < b.namespace ? -1 : 1)),
        clusterResourceWhitelist: clusterKinds(plan),
        namespaceResourceBlacklist: [
          { group: "argoproj.io", kind: "AppProject" },
          { group: "argoproj.io", kind: "Application" },
          { group: "argoproj.io", kind: "ApplicationSet" },
        ],
      },
    },
    notes: {
      "spec.namespaceResourceBlacklist": "Only the App of Apps makes Applications.",
    },
  };
}

/** The Prometheus stack puts Services there, to reach kubelets and the name servers by. */
const KUBE_SYSTEM = { server: IN_CLUSTER, namespace: "kube-system" };

function manifest(plan: Plan, application: Application & { wave: number }): ManifestResource {
  const { name, title, namespace, sources, wave, keep, serverSide, ignoreDifferences } = application;
  const printed = sources.flatMap((source) => sourcesOf(plan, source));
  const [only] = printed;
  const options = [
    ...(serverSide === true ? ["ServerSideApply=true"] : []),
    ...(sources.some(({ kind }) => kind === "chart") ? ["SkipDryRunOnMissingResource=true"] : []),
    ...(ignoreDifferences === undefined ? [] : ["RespectIgnoreDifferences=true"]),
  ];
  return {
    kind: "manifest",
    file: `${applicationsFolder}/${name}-app.yaml`,
    because: application.because,
    comment: `${title}.`,
    object: {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "Application",
      metadata: metadata(name, wave),
      spec: {
        project: argoProjectName(plan.environment),
        ...(printed.length === 1 ? { source: only } : { sources: mergedGit(printed) }),
        destination: { server: IN_CLUSTER, namespace },
        syncPolicy: syncPolicy({ prune: keep !== true, options }),
        ...(ignoreDifferences === undefined ? {} : { ignoreDifferences }),
      },
    },
    ...(keep === true
      ? {
          notes: {
            "spec.syncPolicy.automated.prune":
              "Data hangs on it: what is no longer in Git is removed by hand.",
          },
        }
      : {}),
  };
}

type PrintedSource = {
  repoURL: string;
  targetRevision: string;
  path?: string;
  ref?: string;
  chart?: string;
  helm?: object;
};

const gitSource = (plan: Plan, path: string): PrintedSource => ({
  repoURL: plan.environment.gitOps.repository,
  targetRevision: plan.environment.gitOps.revision,
  path: `${repositoryFolder(plan.environment)}/${path}`,
});

function sourcesOf(plan: Plan, source: Source): PrintedSource[] {
  switch (source.kind) {
    case "folder":
      return [gitSource(plan, source.path)];
    case "upstream":
      return [{ repoURL: source.repository, targetRevision: source.revision, path: source.path }];
    case "chart": {
      const { chart, release, values: inline, valuesFrom = [], skipCrds } = source;
      const files = valuesFrom.map((file) => `$values/${repositoryFolder(plan.environment)}/${file}`);
      const printed: PrintedSource = {
        repoURL: chart.repository,
        chart: chart.name,
        targetRevision: chart.version,
        helm: {
          releaseName: release,
          ...(skipCrds === true ? { skipCrds: true } : {}),
          ...(files.length === 0 ? {} : { valueFiles: files }),
          ...(inline === undefined ? {} : { valuesObject: inline }),
        },
      };
      return files.length === 0 ? [printed] : [printed, { ...gitSource(plan, ""), ref: "values" }];
    }
  }
}

/** The Git repository once: as the source of value files and of the overlay. */
function mergedGit(sources: readonly PrintedSource[]): PrintedSource[] {
  const values = sources.find(({ ref }) => ref !== undefined);
  const others = sources.filter((source) => source !== values);
  if (values === undefined) return others;
  const { repoURL, targetRevision, ref } = values;
  const overlay = others.find((source) => source.repoURL === repoURL && source.path !== undefined);
  if (overlay === undefined) return [...others, { repoURL, targetRevision, ref: ref ?? "values" }];
  return others.map((source) => (source === overlay ? { ...source, ref: ref ?? "values" } : source));
}

const repositoryOf = (plan: Plan, source: Source): string =>
  source.kind === "folder"
    ? plan.environment.gitOps.repository
    : source.kind === "chart"
      ? source.chart.repository
      : source.repository;

const unique = (values: readonly string[]): string[] => [...new Set(values)].sort();

/** A first synchronisation may come before a webhook answers: it is tried again, later each time. */
const syncPolicy = ({ prune, options }: { prune: boolean; options: readonly string[] }): object => ({
  automated: { prune, selfHeal: true },
  ...(options.length === 0 ? {} : { syncOptions: options }),
  retry: { limit: 5, backoff: { duration: "15s", factor: 2, maxDuration: "5m" } },
});

/** What the App of Apps consists of, except itself. */
const listing = (applications: readonly Application[]): DocumentResource => ({
  kind: "document",
  file: `${applicationsFolder}/kustomization.yaml`,
  because,
  value: {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: ["project.yaml", ...applications.map(({ name }) => `${name}-app.yaml`)],
  },
});

/** What there is, in the order in which it comes up. */
const guide = (applications: readonly (Application & { wave: number })[]): TextResource => ({
  kind: "text",
  file: `${applicationsFolder}/README.md`,
  because,
  text: `# Applications

\`mlops-stack-app.yaml\` is the App of Apps. Applied once, it applies the others in the order of their sync waves: a wave
begins when everything in the one before it is healthy.

| wave | Application | what it is | Argo CD removes what is no longer in Git |
| ---: | --- | --- | --- |
${applications.map(({ wave, name, title, keep }) => `| ${wave} | ${name} | ${title} | ${keep === true ? "no" : "yes"} |`).join("\n")}

Deleting an Application leaves what it made: none of them has a finalizer.
`,
});
