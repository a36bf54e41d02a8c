import type { Database } from "../../kernel/database.ts";
import { createMicroClock } from "../../kernel/micros.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import { createCodeRepositories, type CodeRepositories } from "./code-repositories.ts";
import { createSecretStore, type SecretStore } from "./secrets.ts";
import { createProjectList, type ProjectList } from "./project-list.ts";
import { createProjects, type Projects } from "./projects.ts";
import { createTags, type Tags } from "./tags.ts";

export type PipelinesDeps = {
  database: Database;
  /** Milliseconds since 1970. */
  now(): number;
  secrets: Secrets;
};

/** The door of ZenML's control plane: one part for each kind of entity. */
export type Pipelines = {
  readonly projects: Projects;
  readonly projectList: ProjectList;
  readonly codeRepositories: CodeRepositories;
  readonly tags: Tags;
  readonly secrets: SecretStore;
};

export function createPipelines(given: PipelinesDeps): Pipelines {
  const deps = { ...given, clock: createMicroClock(given.now) };
  return {
    projects: createProjects(deps),
    projectList: createProjectList(deps),
    codeRepositories: createCodeRepositories(deps),
    tags: createTags(deps),
    secrets: createSecretStore(deps),
  };
}
