import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, join, sep } from "node:path";
import { codeBlocks } from "./markdown.ts";
import type { Language, Snippet } from "./workspace.ts";

/** Nothing people write by hand is bigger; what is bigger was generated. */
const MAX_BYTES = 5 * 1024 * 1024;

const IGNORED_FOLDERS = new Set([
  ".git",
  ".hg",
  ".svn",
  "node_modules",
  ".terraform",
  ".venv",
  "__pycache__",
]);

/** Written by tools, and long: a lock file says nothing that the file it locks does not. */
const IGNORED_FILES = new Set(["package-lock.json", "yarn.lock", "pnpm-lock.yaml", ".terraform.lock.hcl"]);

const EXTENSIONS: readonly (readonly [string, Language])[] = [
  [".tf.json", "json"],
  [".tfvars.json", "json"],
  [".tf", "hcl"],
  [".tofu", "hcl"],
  [".tfvars", "tfvars"],
  [".yaml", "yaml"],
  [".yml", "yaml"],
  [".json", "json"],
  [".sh", "shell"],
  [".bash", "shell"],
  [".mk", "makefile"],
];

const TEMPLATE = /\.(?:j2|jinja|jinja2|tpl|tftpl|tmpl|gotmpl)$/i;

/** A path of the call that is not there. */
export class SourceNotFound extends Error {
  override readonly name = "SourceNotFound";
  constructor(path: string) {
    super(`There is no file or folder at ${path}`);
  }
}

/** Every file below the paths that a rule can look at, Markdown taken apart into its code blocks. */
export function readSources(paths: readonly string[]): Snippet[] {
  const seen = new Set<string>();
  return paths.flatMap((path) => filesOf(path, seen)).flatMap(snippetsOf);
}

type Place = { path: string; root: string; seen: Set<string> };

function filesOf(path: string, seen: Set<string>): string[] {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new SourceNotFound(path);
  if (!status.isDirectory()) return filesBelow({ path, root: realpathSync(join(path, "..")), seen }, true);
  return filesBelow({ path, root: realpathSync(path), seen }, true);
}

function filesBelow(place: Place, named: boolean): string[] {
  const { path, root, seen } = place;
  let real: string;
  try {
    real = realpathSync(path);
  } catch {
    return []; // A link to nothing.
  }
  const inside = real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
  if ((!named && !inside) || seen.has(real)) return [];
  seen.add(real);
  const status = statSync(real);
  if (status.isDirectory()) {
    return readdirSync(real, { withFileTypes: true })
      .filter((entry) => !(IGNORED_FOLDERS.has(entry.name) || IGNORED_FILES.has(entry.name)))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => {
        const below = { path: join(path, entry.name), root, seen };
        if (!entry.isFile()) return filesBelow(below, false);
        if (!mayMatter(entry.name) || seen.has(join(real, entry.name))) return [];
        seen.add(join(real, entry.name));
        return [below.path];
      });
  }
  return status.isFile() && (named || mayMatter(basename(path))) ? [path] : [];
}

const mayMatter = (name: string): boolean => languageOfFile(name) !== undefined || isDocument(name);

const isDocument = (name: string): boolean => /\.(?:md|markdown|mdx|txt)$/i.test(name);

function languageOfFile(name: string): Language | undefined {
  const plain = name.replace(TEMPLATE, "");
  if (/^(?:GNU)?makefile(?:\..+)?$/i.test(plain)) return "makefile";
  if (/^(?:Dockerfile|Containerfile)(?:\..+)?$/i.test(plain) || /\.dockerfile$/i.test(plain))
    return "dockerfile";
  return EXTENSIONS.find(([ending]) => plain.toLowerCase().endsWith(ending))?.[1];
}

function snippetsOf(path: string): Snippet[] {
  if (statSync(path).size > MAX_BYTES) return [];
  const bytes = readFileSync(path);
  if (bytes.subarray(0, 8192).includes(0)) return [];
  return snippetsOfText(path, bytes.toString("utf8"));
}

/** The parts of a text that stands, or would stand, at `path`. */
export function snippetsOfText(path: string, written: string): Snippet[] {
  const file = path.split(sep).join("/");
  const text = written.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  return snippetsIn(file, text);
}

/** What a file of this name and text holds: one snippet, or the code blocks of a document. */
export function snippetsIn(file: string, text: string): Snippet[] {
  const name = basename(file);
  const language = languageOfFile(name);
  if (language !== undefined) {
    const template = TEMPLATE.test(name) ? { template: true as const } : {};
    return [{ file, firstLine: 1, language, text, excerpt: false, ...template }];
  }
  const looksLikeScript = /^#!.*\b(?:ba|z|da)?sh\b/.test(text);
  if (looksLikeScript) return [{ file, firstLine: 1, language: "shell", text, excerpt: false }];
  if (!isDocument(name) || (name.toLowerCase().endsWith(".txt") && !isMarkdown(text))) return [];
  return codeBlocks(file, text);
}

/** Requirements, logs and licences are text too. A document has headings or fences. */
const isMarkdown = (text: string): boolean => /^#{1,6} \S/m.test(text) || /^\s*(?:```|~~~)/m.test(text);
