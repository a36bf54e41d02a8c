import type { Snippet } from "./workspace.ts";

type Folder = { depth: number; folders: Map<string, Folder>; own: Snippet[] };

/** So many objects of the same kind and name in two folders are no accident: both describe the same platform. */
const SAME_OBJECTS = 3;
const SAME_SHARE = 0.3;

/**
 * Parts that have nothing to do with one another: `deploy/dev` and `deploy/prod`, each with all of its own manifests. Without this, what
 * one environment refers to would be looked for in the other. Folders that share a base, as overlays do, belong together.
 */
export function scopesOf(snippets: readonly Snippet[]): Snippet[][] {
  const root: Folder = { depth: 0, folders: new Map(), own: [] };
  for (const snippet of snippets) {
    let folder = root;
    for (const name of snippet.file.split("/").slice(0, -1)) {
      let next = folder.folders.get(name);
      if (next === undefined) {
        next = { depth: folder.depth + 1, folders: new Map(), own: [] };
        folder.folders.set(name, next);
      }
      folder = next;
    }
    folder.own.push(snippet);
  }
  const apart: Snippet[][] = [];
  const rest = split(root, apart);
  return rest.length === 0 ? apart : [rest, ...apart];
}

/** What belongs to the folder itself; trees that stand apart go into `apart`. */
function split(folder: Folder, apart: Snippet[][]): Snippet[] {
  const children = [...folder.folders.values()];
  const trees = children.length < 2 ? [] : parallel(children);
  const rest = [...folder.own];
  for (const child of children) {
    const own = split(child, apart);
    if (trees.includes(child)) apart.push(own);
    else rest.push(...own);
  }
  return rest;
}

function parallel(children: readonly Folder[]): Folder[] {
  const described = children
    .map((folder) => ({ folder, objects: objectsIn(folder) }))
    .filter(({ objects }) => objects.size >= SAME_OBJECTS);
  const counts = new Map<string, number>();
  for (const object of described.flatMap(({ objects }) => [...objects])) {
    counts.set(object, (counts.get(object) ?? 0) + 1);
  }
  // Hundreds of folders with objects of their own are the rule: only those with a double are compared.
  const candidates = described.filter(
    ({ objects }) => [...objects].filter((object) => (counts.get(object) ?? 0) > 1).length >= SAME_OBJECTS,
  );
  const doubled = candidates.filter((one) =>
    candidates.some((other) => other !== one && isSamePlatform(one.objects, other.objects)),
  );
  const closed = doubled.map(({ folder }) => folder).filter(isClosed);
  return closed.length < 2 ? [] : closed;
}

function isSamePlatform(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const same = [...a].filter((object) => b.has(object)).length;
  return same >= SAME_OBJECTS && same >= SAME_SHARE * Math.min(a.size, b.size);
}

const objectsIn = (folder: Folder): Set<string> => new Set(snippetsBelow(folder).flatMap(objectsOf));

const known = new WeakMap<Snippet, string[]>();

/** Kinds and names, as far as a look at the lines tells: nothing is parsed before it is known what belongs together. */
function objectsOf(snippet: Snippet): string[] {
  let objects = known.get(snippet);
  if (objects === undefined) {
    const isYaml = snippet.language === "yaml" && !snippet.excerpt;
    objects = isYaml ? snippet.text.split(/^---/m).flatMap(objectOf) : [];
    known.set(snippet, objects);
  }
  return objects;
}

function objectOf(document: string): string[] {
  const kind = /^kind:[ ]*(\S+)/m.exec(document)?.[1];
  const metadata = /^metadata:(.*)\n((?:[ ]+.*\n|\n)*)/m.exec(document);
  if (kind === undefined || metadata === null) return [];
  const [, inline = "", block = ""] = metadata;
  const name = /\bname:[ ]*([^\s,}]+)/.exec(inline)?.[1] ?? /^[ ]{1,4}name:[ ]*(\S+)/m.exec(block)?.[1];
  return name === undefined ? [] : [`${kind} ${name}`];
}

/** No path of its files leads out of it. */
const isClosed = (folder: Folder): boolean =>
  snippetsBelow(folder).every(({ text, language, file }) => {
    if (!["yaml", "hcl"].includes(language)) return true;
    const below = file.split("/").length - 1 - folder.depth;
    const ups = [...text.matchAll(/(?:\.\.\/)+|\.\.(?=["'\s]|$)/gm)].map(
      ([path]) => path.split("..").length - 1,
    );
    return Math.max(0, ...ups) <= below;
  });

const snippetsBelow = (folder: Folder): Snippet[] => [
  ...folder.own,
  ...[...folder.folders.values()].flatMap(snippetsBelow),
];
