import { bucketsOf, repositoryFolder } from "../names.ts";
import { planOf } from "../plan.ts";
import type { Environment } from "../spec/platform.ts";
import type { SpecProblem, SpecRule } from "./check.ts";

/** Rules over several environments at once: what two of them may not have in common. */

/** What `plinth lint --rules` says of them. */
export const sharedRules: readonly Omit<SpecRule, "check">[] = [
  {
    id: "gitops/shared-folder",
    severity: "error",
    covers: [],
    title: "two environments in one folder of the repository",
    why: "The one written last would be both, and Argo CD would apply it to both clusters.",
  },
  {
    id: "gateway/shared-domain",
    severity: "error",
    covers: [],
    title: "two environments with one domain",
    why: "Visitors and certificates would go to either.",
  },
  {
    id: "gcp/shared-secret",
    severity: "error",
    covers: [],
    title: "one entry of Secret Manager that two environments would make",
    why: "A name is free once in a project: the second apply fails.",
  },
  {
    id: "store/shared-bucket",
    severity: "error",
    covers: [],
    title: "two environments in one bucket",
    why: "Development would write beside production, and cleaning up one would clean up both.",
  },
];

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
    ...sharedEntries(environments),
    ...sharedBuckets(environments),
  ];
}

/** Buckets that we make are named after their environment. Of a store that is there already, people name them. */
function sharedBuckets(environments: readonly Environment[]): SharedProblem[] {
  return (["artifacts", "models", "backups"] as const).flatMap((kind) =>
    collisions(
      environments.filter(({ objectStore }) => objectStore.engine === "s3"),
      {
        rule: "store/shared-bucket",
        path: ["objectStore", "buckets", kind],
        of: (environment) => `${planOf(environment).store.endpoint} ${bucketsOf(environment)[kind]}`,
        message: (environment, other) =>
          `its ${kind} go to the bucket ${bucketsOf(environment)[kind]}, as those of ${other} do: what is cleaned up in one is gone in both`,
        remedy: `Give each environment a bucket of its own: objectStore: { buckets: { ${kind}: "..." } }.`,
      },
    ),
  );
}

/** Terraform makes the entries of Secret Manager that people fill: a name is free once in a project. */
function sharedEntries(environments: readonly Environment[]): SharedProblem[] {
  const seen = new Map<string, string>();
  return environments.flatMap((environment) => {
    const { name, secrets } = environment;
    if (secrets.engine !== "external-secrets" || secrets.store.kind !== "gcp-secret-manager") return [];
    const { project } = secrets.store;
    const entries = new Set(
      planOf(environment).secrets.flatMap(({ inputs }) =>
        Object.values(inputs).flatMap(({ entry, origin }) => (origin === "given" ? [entry] : [])),
      ),
    );
    return [...entries].flatMap((entry) => {
      const place = `${project}/${entry}`;
      const other = seen.get(place);
      if (other === undefined) {
        seen.set(place, name);
        return [];
      }
      return [
        {
          rule: "gcp/shared-secret",
          environment: name,
          path: ["secrets", "store", "project"],
          message: `the entry ${entry} of Secret Manager in the project ${project} is already that of ${other}: it can be made once`,
          remedy: `Give each environment a project of its own, or name another entry than ${entry} in one of them.`,
        },
      ];
    });
  });
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
