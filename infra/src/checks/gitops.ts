import type { SpecRule } from "./check.ts";

/** Rules on the repository that the cluster follows. */

const pathOutside: SpecRule = {
  id: "gitops/path-outside-output",
  severity: "error",
  covers: [],
  title: "A folder in the repository that leads out of it",
  why: "Argo CD looks for the folder from the root of the repository and refuses to go above it.",
  check: ({ gitOps }) =>
    !gitOps.path.split("/").includes("..") && !gitOps.path.includes("//")
      ? []
      : [
          {
            path: ["gitOps", "path"],
            message: `gitOps.path is "${gitOps.path}", which is no plain path`,
            remedy:
              'Write it from the root of the repository, "deploy/{environment}" for example, or leave it out.',
          },
        ],
};

const unknownPlaceholder: SpecRule = {
  id: "gitops/unknown-placeholder",
  severity: "error",
  covers: [],
  title: "A placeholder that nothing stands for",
  why: "Only {environment} is replaced: a folder with braces in its name would be made, and Argo CD look for it.",
  check: ({ gitOps }) => {
    const unknown = [...gitOps.path.matchAll(/\{([^}]*)\}?|\}/g)].find(([text]) => text !== "{environment}");
    return unknown === undefined
      ? []
      : [
          {
            path: ["gitOps", "path"],
            message: `gitOps.path has "${unknown[0]}" in it, which nothing stands for`,
            remedy: "Write {environment}, or the folder's name as it is.",
          },
        ];
  },
};

export const gitOpsRules: readonly SpecRule[] = [pathOutside, unknownPlaceholder];
