import { distance } from "fastest-levenshtein";
import { isTemplated } from "../../schemas/templated.ts";
import type { Rule } from "../rule.ts";
import type { Manifest, Path, Workspace } from "../workspace.ts";
import { at, objectsOf, problemAt } from "./kubernetes-objects.ts";

const missingNamespace: Rule = {
  id: "kubernetes/missing-namespace",
  severity: "error",
  covers: ["E33"],
  title: "an object in a namespace that goes by another name",
  why: "Nothing makes the namespace: the API server refuses the object, or Argo CD waits for it for ever.",
  remedy: "Name the namespace as its own manifest does, or add a manifest for this one.",
  *check(workspace) {
    const defined = objectsOf(workspace, "Namespace").map(({ name }) => name);
    if (defined.length === 0) return;
    const uses = usesOf(workspace);
    // Most namespaces are made elsewhere. But one that is used and not made, beside one that is made and not used…
    const idle = defined.filter((name) => !uses.has(name));
    for (const [name, { from, path }] of uses) {
      if (defined.includes(name) || isTemplated(name)) continue;
      const near = idle.find((other) => distance(other, name) === 1);
      if (near === undefined) continue;
      const message = `there is no Namespace ${name}; ${near}, which is, holds nothing`;
      yield problemAt(from, { path, message });
    }
  },
};

type Use = { from: Manifest; path: Path };

/** The first object in each namespace, as the object or its Argo CD Application says. */
function usesOf({ manifests }: Workspace): Map<string, Use> {
  const uses = new Map<string, Use>();
  for (const from of manifests) {
    const paths: Path[] = [
      ["metadata", "namespace"],
      ["spec", "destination", "namespace"],
    ];
    for (const path of paths) {
      const name = at(from.value, ...path);
      if (typeof name === "string" && !uses.has(name)) uses.set(name, { from, path });
    }
  }
  return uses;
}

export const namespaceRules: readonly Rule[] = [missingNamespace];
