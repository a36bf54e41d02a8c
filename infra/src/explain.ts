import type { CheckedEnvironment, Project } from "./project.ts";
import type { Resource } from "./resources/resource.ts";
import { valueAt } from "./spec/merge.ts";
import type { SettingPath, Source } from "./spec/resolve.ts";

/** Why something is in the output. */
export type Explanation = {
  file: string;
  /** `Deployment tracking/plinth`, `google_sql_database_instance.tracking`, or undefined for a file as it is. */
  resource: string | undefined;
  comment: string | undefined;
  reasons: { setting: string; value: unknown; source: Source; line: number | undefined; why: string }[];
};

/** What of an environment's output `asked` names: a file, a folder, or a resource by its kind and name or its Terraform address. */
export function explain(project: Project, checked: CheckedEnvironment, asked: string): Explanation[] {
  const wanted = asked.replace(/^\.\//, "").replace(/\/$/, "");
  return checked.resources
    .filter((resource) => isNamed(resource, wanted))
    .map((resource) => ({
      file: resource.file,
      resource: addressOf(resource),
      comment: resource.comment,
      reasons: resource.because.map(({ setting, why }) => {
        const path = pathOf(setting);
        const source = checked.sourceOf(path);
        const placed = source === "environment" ? ["environments", checked.name, ...path] : path;
        return {
          setting,
          value: valueAt(checked.environment, path),
          source,
          line: source === "default" ? undefined : project.lineOf(placed),
          why,
        };
      }),
    }));
}

/** What may be asked for, for a suggestion. */
export const explainable = (checked: CheckedEnvironment): string[] => [
  ...new Set(checked.resources.flatMap((resource) => [resource.file, addressOf(resource) ?? []].flat())),
];

function isNamed(resource: Resource, wanted: string): boolean {
  if (
    resource.file === wanted ||
    resource.file.endsWith(`/${wanted}`) ||
    resource.file.startsWith(`${wanted}/`)
  ) {
    return true;
  }
  const address = addressOf(resource)?.toLowerCase();
  const asked = wanted.toLowerCase();
  if (address === undefined) return false;
  if (address === asked) return true;
  // `deployment/plinth` and `Deployment plinth`, as kubectl has them.
  if (resource.kind !== "manifest") return false;
  const { kind, metadata } = resource.object;
  return [`${kind}/${metadata.name}`, `${kind} ${metadata.name}`].some(
    (name) => name.toLowerCase() === asked,
  );
}

function addressOf(resource: Resource): string | undefined {
  if (resource.kind === "manifest") {
    const { kind, metadata } = resource.object;
    return `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
  }
  if (resource.kind !== "terraform") return undefined;
  const { type, labels } = resource.block;
  return type === "resource" ? labels.join(".") : [type, ...labels].join(".");
}

/** `stacks.stacks[0].name` as a path. */
const pathOf = (setting: string): SettingPath =>
  [...setting.matchAll(/[^.[\]]+/g)].map(([step]) => (/^\d+$/.test(step) ? Number(step) : step));
