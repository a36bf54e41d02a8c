import { createBatch } from "../../kernel/batch.ts";
import type { Scope } from "../identity/index.ts";
import type { RegistryDeps } from "./deps.ts";
import { selectArePrompts, type ModelPlace } from "./registered-models.sql.ts";

export type Prompts = {
  /** Whether a name is that of a prompt, which MLflow keeps among registered models; known at once where asked lately. */
  isPrompt(scope: Scope, name: string): boolean | Promise<boolean>;
};

/** A name changes its kind only by deletion and import. */
const KNOWN_MS = 5000;
const CAPACITY = 50_000;

export function createPrompts({
  database,
  now,
  onBatch,
}: Pick<RegistryDeps, "database" | "now" | "onBatch">): Prompts {
  let known = new Map<string, boolean>();
  let since = now();
  // Look-ups of one moment share a statement.
  const lookUps = createBatch<ModelPlace, boolean>({
    name: "is_prompt",
    concurrency: 2,
    maxWeight: 1000,
    onBatch,
    run: (places) => selectArePrompts(database, places),
  });
  return {
    isPrompt({ workspaceId }, name) {
      if (now() - since >= KNOWN_MS || known.size >= CAPACITY) {
        known = new Map();
        since = now();
      }
      const key = `${workspaceId} ${name}`;
      const found = known.get(key);
      if (found !== undefined) return found;
      const into = known;
      return lookUps.add({ workspaceId, name }).then((isPrompt) => {
        into.set(key, isPrompt);
        return isPrompt;
      });
    },
  };
}
