import { dirname } from "node:path";
import { parseHclJson, parseTfvarsJson } from "../hcl/json.ts";
import { parseHcl } from "../hcl/parse.ts";
import { HclSyntaxError, type HclBlock, type HclBody } from "../hcl/syntax.ts";
import { attributeOf, releaseOf, yamlOf, type ReleasePlace } from "./terraform-releases.ts";
import { addDocument } from "./workspace-kubernetes.ts";
import type { Snippet, TerraformModule, Workspace } from "./workspace.ts";

/** Parses all Terraform, then looks for the manifests and releases that its resources hold. */
export function addTerraform(workspace: Workspace, snippets: readonly Snippet[]): void {
  const parsed: { snippet: Snippet; body: HclBody; module: TerraformModule }[] = [];
  const modules = new Map<string, TerraformModule>();
  for (const snippet of snippets) {
    if (!isTerraform(snippet)) continue;
    const body = parseWithRecovery(workspace, snippet);
    const { file, excerpt } = snippet;
    const folder = excerpt ? file : dirname(file);
    const module = modules.get(folder) ?? { folder, excerpt, files: [], variables: [] };
    modules.set(folder, module);
    (isVariables(snippet) ? module.variables : module.files).push({ file, body });
    parsed.push({ snippet, body, module });
  }
  workspace.modules.push(...modules.values());
  for (const { snippet, body, module } of parsed) {
    for (const block of body.blocks) {
      if (block.type !== "resource") continue;
      addResource(workspace, { documents: workspace.documents, snippet, module }, block);
    }
  }
}

const isTerraform = ({ language, file }: Snippet): boolean =>
  language === "hcl" || language === "tfvars" || (language === "json" && /\.tf(?:vars)?\.json$/.test(file));

const isVariables = ({ language, file }: Snippet): boolean =>
  language === "tfvars" || file.endsWith(".tfvars.json");

function parserOf(snippet: Snippet): (text: string, firstLine: number) => HclBody {
  if (snippet.language !== "json") return parseHcl;
  return isVariables(snippet) ? parseTfvarsJson : parseHclJson;
}

/** One mistake must not hide the rest of a file: then its blocks are read one by one. */
function parseWithRecovery(workspace: Workspace, snippet: Snippet): HclBody {
  const { file, firstLine, language, excerpt } = snippet;
  const parser = parserOf(snippet);
  const reported = new Set<number>();
  const parse = (part: string, line: number): HclBody | undefined => {
    try {
      return parser(part, line);
    } catch (error) {
      if (!(error instanceof HclSyntaxError)) throw error;
      for (const { line, message } of [error, ...error.others]) {
        if (reported.has(line)) continue;
        reported.add(line);
        workspace.broken.push({ file, line, language, message, excerpt });
      }
      return error.body;
    }
  };
  const whole = parse(snippet.text, firstLine);
  if (whole !== undefined) return whole;
  const parts = topLevelBlocks(snippet.text).map(({ block, line }) => parse(block, firstLine + line));
  return {
    attributes: parts.flatMap((part) => part?.attributes ?? []),
    blocks: parts.flatMap((part) => part?.blocks ?? []),
  };
}

/** Blocks as `terraform fmt` leaves them: from a line that begins at the margin to a brace at the margin. */
function topLevelBlocks(body: string): { block: string; line: number }[] {
  const lines = body.split("\n");
  const blocks: { block: string; line: number }[] = [];
  let start: number | undefined;
  for (const [index, line] of lines.entries()) {
    if (start === undefined && /^[A-Za-z_][\w-]*(?:\s+"[^"]*")*\s*\{/.test(line)) start = index;
    if (start !== undefined && line.startsWith("}")) {
      blocks.push({ block: `${lines.slice(start, index + 1).join("\n")}\n`, line: start });
      start = undefined;
    }
  }
  return blocks;
}

function addResource(workspace: Workspace, place: ReleasePlace, block: HclBlock): void {
  const { snippet } = place;
  const [type] = block.labels;
  if (type === "helm_release") workspace.releases.push(releaseOf(place, block));
  const body = type === "kubectl_manifest" ? "yaml_body" : type === "kubernetes_manifest" ? "manifest" : "";
  const expression = attributeOf(block.body, body);
  if (expression === undefined) return;
  const read = yamlOf(snippet, expression);
  for (const problem of read.problems) {
    workspace.broken.push({ file: snippet.file, ...problem, language: "yaml", excerpt: snippet.excerpt });
  }
  for (const document of read.documents) {
    addDocument(workspace, document, { origin: "terraform", templated: document.templated });
  }
}
