import type { Language, Snippet } from "./workspace.ts";

/** What people write behind the fence, and what it means here. Everything else is text. */
const LABELS: Readonly<Record<string, Language>> = {
  hcl: "hcl",
  terraform: "hcl",
  tf: "hcl",
  opentofu: "hcl",
  tfvars: "tfvars",
  yaml: "yaml",
  yml: "yaml",
  "yaml+jinja": "yaml",
  jinja: "yaml",
  jinja2: "yaml",
  j2: "yaml",
  kubernetes: "yaml",
  json: "json",
  jsonc: "json",
  bash: "shell",
  sh: "shell",
  shell: "shell",
  zsh: "shell",
  console: "shell",
  "shell-session": "shell",
  shellsession: "shell",
  terminal: "shell",
  python: "python",
  py: "python",
  python3: "python",
  makefile: "makefile",
  make: "makefile",
  dockerfile: "dockerfile",
  docker: "dockerfile",
  containerfile: "dockerfile",
};

/** Labels of a template: what is in the block need not be YAML before the template engine ran. */
const TEMPLATE_LABELS = new Set(["yaml+jinja", "jinja", "jinja2", "j2"]);

const FENCE = /^(?<indent>[ \t]*(?:>[ \t]?)*)(?<fence>`{3,}|~{3,})(?<info>[^\n]*)$/;

type Open = { indent: string; fence: string; label: string; firstLine: number; lines: string[] };

/** The code blocks of a Markdown document, then its prose: one snippet in which the blocks are empty lines. */
export function codeBlocks(file: string, text: string): Snippet[] {
  const blocks: Snippet[] = [];
  const prose: string[] = [];
  let open: Open | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const groups = FENCE.exec(line)?.groups;
    const { indent = "", fence = "", info = "" } = groups ?? {};
    prose.push(open === undefined && groups === undefined ? line : "");
    if (open === undefined) {
      if (groups !== undefined && !info.includes("`")) {
        open = { indent, fence, label: labelOf(info), firstLine: index + 2, lines: [] };
      }
    } else if (groups !== undefined && info.trim() === "" && fence.startsWith(open.fence)) {
      blocks.push(snippetOf(file, open));
      open = undefined;
    } else {
      open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line.trimStart());
    }
  }
  if (open !== undefined) blocks.push(snippetOf(file, open));
  return [...blocks, { file, firstLine: 1, language: "text", text: prose.join("\n"), excerpt: true }];
}

/** ```` ```yaml title="x" ````, ```` ```{.yaml} ```` and ```` ``` yaml ```` are all YAML. */
const labelOf = (info: string): string =>
  /[A-Za-z0-9+_#-]+/.exec(info.replace(/^\s*\{\s*\.?/, ""))?.[0].toLowerCase() ?? "";

function snippetOf(file: string, block: Open): Snippet {
  const text = `${block.lines.join("\n")}\n`;
  const named = block.label === "" ? languageOf(text) : (LABELS[block.label] ?? "text");
  const language = named === "hcl" && !hasHclBlock(text) ? "tfvars" : named;
  const snippet: Snippet = { file, firstLine: block.firstLine, language, text, excerpt: true };
  return TEMPLATE_LABELS.has(block.label) ? { ...snippet, template: true } : snippet;
}

const BLOCK =
  /^\s*(?:(?:resource|data|ephemeral)\s+"[^"\n]+"\s+"[^"\n]+"|(?:variable|output|module|provider|check)\s+"[^"\n]+"|terraform|locals|(?:moved|import|removed)(?=\s*\{\s*\n\s*(?:to|from|id|provider|for_each|identity)\s*=))\s*\{/m;

const hasHclBlock = (text: string): boolean => BLOCK.test(text);

/** Programs whose name at the beginning of a line makes it a command. */
export const PROGRAMS =
  "zenml|mlflow|kubectl|helm|kustomize|terraform|tofu|argocd|gcloud|gsutil|bq|civo|aws|mc|curl|make|docker|podman|kyverno|plinth|npx|pip|psql|mysql|istioctl|kn";

const COMMAND_LINE = new RegExp(`^\\s*(?:\\$ )?(?:sudo )?(?:${PROGRAMS}) \\S`);

/** The language of a block that does not say it. In doubt text: nothing is guessed into an error. */
function languageOf(text: string): Language {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const first = lines.find((line) => !line.trimStart().startsWith("#")) ?? "";
  if (/^\s*apiVersion:\s*\S/m.test(text) && /^\s*kind:\s*\S/m.test(text)) return "yaml";
  if (/^FROM \S+/m.test(text) && /^(?:RUN|COPY|CMD|ENTRYPOINT) /m.test(text)) return "dockerfile";
  if (hasHclBlock(text) && /^\s*\}/m.test(text)) return "hcl";
  if (COMMAND_LINE.test(first)) return "shell";
  if (/^\s*[{[]/.test(text) && isJson(text)) return "json";
  return "text";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
