import { addTerraform } from "./workspace-terraform.ts";
import { addDocument, addReleases } from "./workspace-kubernetes.ts";
import { commandsIn } from "./workspace-commands.ts";
import { embeddedCommands } from "./embedded-commands.ts";
import { isRecord } from "./plain-values.ts";
import { applyKustomizations } from "./workspace-kustomize.ts";
import type { Located, Path, Snippet, Workspace } from "./workspace.ts";
import { readYaml } from "./yaml-documents.ts";

/** Takes every snippet apart. What cannot be parsed is kept as `broken`: rules tell what of that is a mistake. */
export function buildWorkspace(snippets: readonly Snippet[]): Workspace {
  const workspace: Workspace = {
    snippets: [...snippets],
    manifests: [],
    releases: [],
    modules: [],
    kustomizations: [],
    commands: [],
    documents: [],
    broken: [],
  };
  const isChartTemplate = chartTemplates(snippets);
  for (const snippet of snippets) {
    if (snippet.language === "yaml" && !isChartTemplate(snippet.file)) addYaml(workspace, snippet);
    if (snippet.language === "json") addJson(workspace, snippet);
    for (const command of commandsIn(snippet)) workspace.commands.push(command);
  }
  addTerraform(workspace, snippets);
  for (const command of embeddedCommands(workspace)) workspace.commands.push(command);
  addReleases(workspace);
  applyKustomizations(workspace);
  return workspace;
}

/** Files in `templates/` beside a Chart.yaml are Go templates: only Helm can make YAML of them. */
function chartTemplates(snippets: readonly Snippet[]): (file: string) => boolean {
  const folders = snippets
    .filter(({ file }) => /(?:^|\/)Chart\.yaml$/.test(file))
    .map(({ file }) => `${file.slice(0, -"Chart.yaml".length)}templates/`);
  return (file) => folders.some((folder) => file.startsWith(folder));
}

function addYaml(workspace: Workspace, snippet: Snippet): void {
  const { file, firstLine, excerpt } = snippet;
  const read = readYaml(snippet.text, firstLine);
  for (const problem of read.problems) {
    workspace.broken.push({ file, ...problem, language: "yaml", excerpt });
  }
  const isTemplate = snippet.template === true || !excerpt;
  if (read.templateLine !== undefined && !isTemplate) {
    const message = "This is a template, not YAML: its expressions stand outside of quotes";
    workspace.broken.push({ file, line: read.templateLine, message, language: "yaml", excerpt });
  }
  for (const { templated, value, lineOf } of read.documents) {
    addDocument(workspace, { file, value, lineOf }, { origin: excerpt ? "markdown" : "file", templated });
  }
}

const COMMENTED = /(?:^|\/)(?:[tj]sconfig[^/]*|devcontainer)\.json$|(?:^|\/)\.vscode\//;

function addJson(workspace: Workspace, snippet: Snippet): void {
  const { file, firstLine, excerpt, text } = snippet;
  if (/\.tf(?:vars)?\.json$/.test(file)) return;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Half of all JSON in documents is shortened with dots; settings of editors and compilers have comments and more commas.
    if (!excerpt && !COMMENTED.test(file) && !/^\s*\/[/*]/m.test(text)) {
      const message = `This is not JSON: ${error instanceof Error ? error.message : String(error)}`;
      workspace.broken.push({ file, line: firstLine, message, language: "json", excerpt });
    }
    return;
  }
  const document: Located = { file, value, lineOf: lazyLines(text, firstLine) };
  // Most JSON of a repository belongs to other tools: only objects of Kubernetes are looked at here.
  if (!isRecord(value) || value["apiVersion"] === undefined) workspace.documents.push(document);
  else addDocument(workspace, document, { origin: excerpt ? "markdown" : "file", templated: false });
}

/** JSON is YAML: where its parts stand is found out when somebody asks, which is seldom. */
function lazyLines(text: string, firstLine: number): (path: Path) => number {
  let lineOf: ((path: Path) => number) | undefined;
  return (path) => {
    lineOf ??= readYaml(text, firstLine).documents[0]?.lineOf ?? ((): number => firstLine);
    return lineOf(path);
  };
}
