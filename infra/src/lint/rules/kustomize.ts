import { existsSync } from "node:fs";
import { posix } from "node:path";
import { isTemplated } from "../../schemas/templated.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Path, Workspace } from "../workspace.ts";
import { applicationsOf } from "./argocd-waves.ts";
import { at, list, perWorkspace, problemAt, type Fields } from "./kubernetes-objects.ts";

/** What kustomizations and Applications take in is there. */

type Entry = { entry: string; path: Path };

const LISTS = ["resources", "components", "bases", "patchesStrategicMerge"];

function entriesOf(value: Fields): Entry[] {
  const listed = LISTS.flatMap((key) =>
    list(value[key]).map((entry, index) => ({ entry, path: [key, index] })),
  );
  const patches = ["patches", "patchesJson6902", "replacements"].flatMap((key) =>
    list(value[key]).map((one, index) => ({ entry: at(one, "path"), path: [key, index, "path"] })),
  );
  return [...listed, ...patches].flatMap(({ entry, path }) =>
    typeof entry === "string" && isLocal(entry) ? [{ entry, path }] : [],
  );
}

/** Inline patches have several lines, remote bases an address. */
const isLocal = (entry: string): boolean =>
  !/[\n{}]|:\/\/|\?ref=|^github\.com\//.test(entry) && !isTemplated(entry);

/** Every file that was read, and every folder above one. */
const placesOf = perWorkspace(({ snippets, kustomizations }): ReadonlySet<string> => {
  const places = new Set<string>();
  for (const file of [...snippets.map((one) => one.file), ...kustomizations.map((one) => one.file)])
    for (
      let place = posix.normalize(file);
      place !== "." && place !== "/" && !places.has(place);
      place = posix.dirname(place)
    )
      places.add(place);
  return places;
});

function* missing(workspace: Workspace): Iterable<Problem> {
  const places = placesOf(workspace);
  const shown = new Set(workspace.snippets.filter(({ excerpt }) => excerpt).map(({ file }) => file));
  for (const kustomization of workspace.kustomizations) {
    if (shown.has(kustomization.file)) continue;
    const entries = entriesOf(kustomization.value).map((one) => ({
      ...one,
      place: posix.join(kustomization.folder, one.entry),
    }));
    // Where nothing of it was read, only a part of the repository was given.
    if (!entries.some(({ place }) => places.has(place.replace(/\/$/, "")))) continue;
    for (const { entry, path, place } of entries)
      // Files that are too long to read, or in no language of these, are there all the same.
      if (!places.has(place.replace(/\/$/, "")) && !existsSync(place))
        yield problemAt(kustomization, {
          path,
          message: `${entry} is not there, seen from ${kustomization.folder}`,
        });
  }
}

/** The folder that a path of a repository means, wherever the repository was checked out. */
const endsOf = (path: string): string[] => {
  const parts = posix
    .normalize(path)
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  return parts.map((_, index) => parts.slice(index).join("/"));
};

function* sourcePaths(workspace: Workspace): Iterable<Problem> {
  const places = [...placesOf(workspace)];
  const isThere = (end: string): boolean =>
    places.some((place) => place === end || place.endsWith(`/${end}`));
  for (const application of applicationsOf(workspace))
    for (const place of [
      ["spec", "source"],
      ...list(at(application.value, "spec", "sources")).map((_, index): Path => ["spec", "sources", index]),
    ]) {
      const path = at(application.value, ...place, "path");
      if (typeof path !== "string" || path === "." || isTemplated(path) || endsOf(path).some(isThere))
        continue;
      const parent = posix.dirname(posix.normalize(path));
      // The folder above is here, so the repository is this one.
      if (parent === "." || !endsOf(parent).some((end) => end.includes("/") && isThere(end))) continue;
      yield problemAt(application, {
        path: [...place, "path"],
        message: `there is no folder ${posix.basename(path)} in ${parent}`,
      });
    }
}

export const kustomizeRules: readonly Rule[] = [
  {
    id: "kustomize/missing-file",
    severity: "error",
    covers: [],
    title: "a kustomization of a file that is not there",
    why: "kustomize build stops, and so does every sync.",
    remedy: "Correct the path, which is seen from the folder of the kustomization, or add the file.",
    check: missing,
  },
  {
    id: "argocd/missing-folder",
    severity: "error",
    covers: [],
    title: "an Application of a folder that is not there",
    why: "Argo CD reports that the app path does not exist, and syncs nothing.",
    remedy: "Write the path from the root of the repository.",
    check: sourcePaths,
  },
];
