import type { HclBody } from "../hcl/syntax.ts";

/** What the rules look at: everything that was found in the files to be checked, taken apart. */

export type Language =
  | "hcl"
  | "tfvars"
  | "yaml"
  | "json"
  | "shell"
  | "python"
  | "makefile"
  | "dockerfile"
  | "text";

/** Text of one language: a whole file, or a fenced code block of a Markdown file. */
export type Snippet = {
  file: string;
  /** Line of the file at which `text` begins, counted from 1. */
  firstLine: number;
  language: Language;
  text: string;
  /** True for a code block of a document: only a part of a configuration, the rest of which is elsewhere. */
  excerpt: boolean;
  /** True where the document says that it is a template: a `jinja` block, a file `*.j2`. */
  template?: true;
};

export type Path = readonly (string | number)[];

/** A parsed value that knows where its parts stand. */
export type Located = {
  file: string;
  /** Plain JSON-like data. Parts that only the tool itself can know are `Unresolved`. */
  value: unknown;
  /** Line of the key at `path`, or of the nearest parent that stands in the file. */
  lineOf(path: Path): number;
  /** File of the part at `path`, where several files make one value (Helm values in order); else `file`. */
  fileOf?(path: Path): string;
};

/** An expression whose value is not known without running Terraform or a template engine. */
export type Unresolved = { unresolved: string };

export const isUnresolved = (value: unknown): value is Unresolved =>
  typeof value === "object" && value !== null && Object.keys(value).length === 1 && "unresolved" in value;

/** Where something was written. A manifest within Terraform has the file and lines of the heredoc. */
export type Origin = "file" | "terraform" | "markdown";

/** A Kubernetes object. Strings may contain `${...}` (Terraform) or `{{ ... }}` (Jinja) where `templated`. */
export type Manifest = Located & {
  origin: Origin;
  templated: boolean;
  apiVersion: string;
  kind: string;
  name: string;
  /** As written; undefined when left out or set from outside. */
  namespace: string | undefined;
  value: Record<string, unknown>;
};

/** One release of a Helm chart: a `helm_release`, an Argo CD Application with a chart, a kustomization's helmCharts, or a values file whose chart is known. */
export type HelmRelease = {
  file: string;
  line: number;
  origin: Origin;
  /** Chart name, without its repository. */
  chart: string;
  /** As written; undefined when it is not told. */
  repository: string | undefined;
  version: string | undefined;
  releaseName: string | undefined;
  namespace: string | undefined;
  values: Located | undefined;
};

/** All Terraform files of one folder, or of one Markdown document: one module. */
export type TerraformModule = {
  /** Folder, or the Markdown file. */
  folder: string;
  excerpt: boolean;
  files: { file: string; body: HclBody }[];
  /** Variable files beside it. */
  variables: { file: string; body: HclBody }[];
};

/** One command of a shell script, a Makefile, an output or a document. */
export type Command = {
  file: string;
  line: number;
  /** The words, quotes taken off. Variables stay as `$NAME`. */
  words: string[];
  /** The whole command as written. */
  text: string;
};

export type Kustomization = Located & {
  folder: string;
  value: Record<string, unknown>;
};

export type Workspace = {
  snippets: Snippet[];
  manifests: Manifest[];
  releases: HelmRelease[];
  modules: TerraformModule[];
  kustomizations: Kustomization[];
  commands: Command[];
  /** YAML and JSON documents that are neither manifests nor kustomizations: values files, Ansible variables. */
  documents: Located[];
  /** What could not be parsed. */
  broken: { file: string; line: number; language: Language; message: string; excerpt: boolean }[];
};
