import { stageFolder, versionsResource } from "./terraform-state.ts";
import {
  ref,
  type Expression,
  type Reason,
  type TerraformBody,
  type TerraformResource,
  type TerraformValue,
} from "./resource.ts";
import type { ProviderName } from "./versions.ts";
import type { Environment } from "../spec/platform.ts";

/** Modules of the cluster stage: a folder with its variables and outputs, and the call in the stage's main.tf. */

/** A block without its file, which its module decides. */
export type Block = Omit<TerraformResource, "kind" | "file">;

export type ModuleInput = {
  name: string;
  /** HCL type: `string`, `map(string)`. */
  type: string;
  description: string;
  /** What the stage hands over: `module.vpc.network_id`. */
  value: TerraformValue;
  sensitive?: boolean;
};

export type ModuleOutput = {
  name: string;
  description: string;
  value: TerraformValue;
  sensitive?: boolean;
  /** What must exist before the value is of use, though the value itself does not say so. */
  after?: readonly Expression[];
};

export type TerraformModule = {
  name: string;
  /** Above the call. */
  comment: string;
  because: readonly Reason[];
  providers: readonly ProviderName[];
  inputs: readonly ModuleInput[];
  outputs: readonly ModuleOutput[];
  /** Blocks by their file in the module's folder. */
  files: Readonly<Record<string, readonly Block[]>>;
  dependsOn?: readonly Expression[];
};

/** The files of a module, and its call. */
export function moduleResources(environment: Environment, module: TerraformModule): TerraformResource[] {
  const folder = `${stageFolder("cluster")}/modules/${module.name}`;
  const { because } = module;
  const inFile = (file: string, block: Block): TerraformResource => ({ kind: "terraform", file, ...block });
  return [
    inFile(`${stageFolder("cluster")}/main.tf`, callOf(module)),
    ...Object.entries(module.files).flatMap(([file, blocks]) =>
      blocks.map((block) => inFile(`${folder}/${file}`, block)),
    ),
    ...module.inputs.map((input) => inFile(`${folder}/variables.tf`, variableOf(input, because))),
    ...module.outputs.map((output) => inFile(`${folder}/outputs.tf`, outputOf(output, because))),
    versionsResource(environment, folder, module.providers),
  ];
}

const callOf = ({ name, comment, because, inputs, dependsOn }: TerraformModule): Block => ({
  because,
  comment,
  block: {
    type: "module",
    labels: [name],
    body: {
      source: `./modules/${name}`,
      ...Object.fromEntries(inputs.map((input) => [input.name, input.value])),
      depends_on: dependsOn,
    },
  },
});

const variableOf = (
  { name, type, description, sensitive }: ModuleInput,
  because: readonly Reason[],
): Block => ({
  because,
  block: { type: "variable", labels: [name], body: { description, type: ref(type), sensitive } },
});

export const outputOf = (
  { name, description, value, sensitive, after }: ModuleOutput,
  because: readonly Reason[],
): Block => ({
  because,
  block: { type: "output", labels: [name], body: { description, value, sensitive, depends_on: after } },
});

type About = Omit<Block, "block">;

/** A `resource` block by its address: `google_storage_bucket.artifacts`. */
export const resourceBlock = (address: string, body: TerraformBody, about: About): Block => ({
  ...about,
  block: { type: "resource", labels: address.split("."), body },
});

/** A `data` or `ephemeral` block by its address. */
export const readBlock = (
  address: { data: string } | { ephemeral: string },
  body: TerraformBody,
  about: About,
): Block => ({
  ...about,
  block:
    "data" in address
      ? { type: "data", labels: address.data.split("."), body }
      : { type: "ephemeral", labels: address.ephemeral.split("."), body },
});
