import { repositoryFolder } from "../names.ts";
import type { Environment } from "../spec/platform.ts";
import type { SpecProblem } from "./check.ts";

/** Rules over several environments at once: what two of them may not have in common. */

export type SharedProblem = SpecProblem & { rule: string; environment: string };

/** What a second environment would take from one before it. */
export function sharedBetween(environments: readonly Environment[]): SharedProblem[] {
  return [
    ...collisions(environments, {
      rule: "gitops/shared-folder",
      path: ["gitOps", "path"],
      of: (environment) => `${environment.gitOps.repository} ${repositoryFolder(environment)}`,
      message: (environment, other) =>
        `its files go to ${repositoryFolder(environment)}, as those of ${other} do: the one written last would be both`,
      remedy: "Put {environment} into gitOps.path, or give each environment a path of its own.",
    }),
    ...collisions(environments, {
      rule: "gateway/shared-domain",
      path: ["domain"],
      of: ({ domain }) => domain,
      message: ({ domain }, other) =>
        `its domain is ${domain}, as that of ${other} is: visitors and certificates would go to either`,
      remedy: "Give each environment a domain of its own, or one below the other's: staging.example.com.",
    }),
  ];
}

type Collision = {
  rule: string;
  path: readonly string[];
  of: (environment: Environment) => string;
  message: (environment: Environment, other: string) => string;
  remedy: string;
};

function collisions(
  environments: readonly Environment[],
  { rule, path, of, message, remedy }: Collision,
): SharedProblem[] {
  const seen = new Map<string, string>();
  return environments.flatMap((environment) => {
    const value = of(environment);
    const other = seen.get(value);
    if (other === undefined) {
      seen.set(value, environment.name);
      return [];
    }
    return [{ rule, environment: environment.name, path, message: message(environment, other), remedy }];
  });
}
