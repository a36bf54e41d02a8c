import {
  ref,
  type Expression,
  type Reason,
  type TerraformBlock,
  type TerraformBody,
  type TerraformResource,
  type TerraformValue,
} from "./resource.ts";

/** A block on its way into a file. */
export type Draft = TerraformBlock & {
  comment?: string;
  notes?: Readonly<Record<string, string>>;
  because?: readonly Reason[];
};

/** Blocks of one file, in the order they are read. */
export function terraformFile(
  file: string,
  because: readonly Reason[],
  drafts: readonly (Draft | undefined)[],
): TerraformResource[] {
  return drafts
    .filter((draft) => draft !== undefined)
    .map(({ type, labels, body, comment, notes, because: own }) => ({
      kind: "terraform",
      file,
      because: own ?? because,
      ...(comment === undefined ? {} : { comment }),
      ...(notes === undefined ? {} : { notes }),
      block: { type, labels, body },
    }));
}

/** A block with a type and a name: `resource "civo_network" "main"`. */
export const resource = (type: string, name: string, body: TerraformBody): Draft => ({
  type: "resource",
  labels: [type, name],
  body,
});

export const variable = (name: string, type: string, description: string): Draft => ({
  type: "variable",
  labels: [name],
  body: { description, type: ref(type) },
});

export const output = (name: string, value: TerraformValue, description: string): Draft => ({
  type: "output",
  labels: [name],
  body: { description, value },
});

/** The call of a module of this root. */
export const moduleCall = (name: string, inputs: TerraformBody): Draft => ({
  type: "module",
  labels: [name],
  body: { source: `./modules/${name}`, ...inputs },
});

/** The same block with more in it. */
export const extended = (draft: Draft, more: TerraformBody): Draft => ({
  ...draft,
  body: { ...draft.body, ...more },
});

export const commented = (draft: Draft, comment: string): Draft => ({ ...draft, comment });

/** With comments on parts of it. */
export const noted = (draft: Draft, notes: Readonly<Record<string, string>>): Draft => ({ ...draft, notes });

/** The element of a map by its key: `module.storage.credentials["tracking"]`. */
export const element = (map: string, key: string): Expression => ref(`${map}["${key}"]`);

/** What cannot be undone is not destroyed by a plan that nobody read. */
export const protection = (isProduction: boolean): TerraformBody =>
  isProduction ? { lifecycle: { prevent_destroy: true } } : {};
