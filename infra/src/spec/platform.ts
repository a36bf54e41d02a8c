import { z } from "zod";
import {
  gateway,
  gitOps,
  monitoring,
  pipelines,
  policies,
  secrets,
  serving,
  stacks,
  tracking,
} from "./components.ts";
import { backup, objectStore, stateBackend } from "./state.ts";
import { target } from "./target.ts";
import { hostName, labels, shortName } from "./values.ts";

/** One environment, all settings decided. */
export const environmentSpec = z.strictObject({
  /** How much depends on it: production refuses what would lose data. */
  tier: z.enum(["development", "staging", "production"]),
  /** Team that answers for it, a label of everything. */
  owner: shortName,
  labels: labels.default({}),
  target,
  /** Components are at hosts below it: tracking.<domain>. */
  domain: hostName,
  gitOps,
  stateBackend,
  tracking,
  pipelines,
  serving,
  objectStore,
  backup,
  secrets,
  policies,
  monitoring,
  gateway,
  stacks: stacks.prefault({}),
});

type Spec = z.infer<typeof environmentSpec>;

/** A resolved environment: what the generators work from. */
export type Environment = Spec & {
  /** Name of the platform, the beginning of all names. */
  platform: string;
  /** Name of the environment: dev, staging, prod. */
  name: string;
};

type Input = z.input<typeof environmentSpec>;

type DeepPartial<T> = T extends readonly (infer Item)[]
  ? readonly Item[]
  : T extends object
    ? { [Key in keyof T]?: DeepPartial<T[Key]> }
    : T;

/** What `plinth.config.ts` exports. Settings at the top hold for all environments; each environment changes what differs. */
export type Platform = {
  name: string;
  environments: Record<string, DeepPartial<Input>>;
} & DeepPartial<Input>;
