import type {
  DocumentResource,
  ManifestResource,
  Resource,
  TerraformResource,
} from "../resources/resource.ts";
import type { OutputFile } from "../synth.ts";
import { printTerraform } from "./hcl.ts";
import { printYaml } from "./yaml.ts";

/** The files that resources are printed to, ordered by path. */
export function printFiles(resources: readonly Resource[]): OutputFile[] {
  const byFile = new Map<string, Resource[]>();
  for (const resource of resources) {
    const list = byFile.get(resource.file);
    if (list === undefined) byFile.set(resource.file, [resource]);
    else list.push(resource);
  }
  return [...byFile]
    .map(([path, of]) => printFile(path, of))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function printFile(path: string, resources: readonly Resource[]): OutputFile {
  const [first] = resources;
  if (first?.kind === "text") {
    if (resources.length > 1) throw new Error(`${path} is given more than once.`);
    return { path, text: first.text, executable: first.executable === true };
  }
  const terraform = resources.filter(
    (resource): resource is TerraformResource => resource.kind === "terraform",
  );
  if (terraform.length === resources.length)
    return { path, text: printTerraform(terraform), executable: false };
  const documents = resources.filter(
    (resource): resource is ManifestResource | DocumentResource =>
      resource.kind === "manifest" || resource.kind === "document",
  );
  if (documents.length !== resources.length)
    throw new Error(`${path} is given things that do not go into one file.`);
  return { path, text: printYaml(documents), executable: false };
}
