import type { Difference } from "./differences.ts";

/** Where Plinth answers otherwise than `mlflow server --app-name basic-auth` 3.17.2 on purpose. */
export const authDifferences: readonly Difference[] = [
  {
    at: [
      "users: create > a short password",
      "users: passwords > a short one",
      "users: passwords > a short one by an administrator",
      "roles: create, read, change, delete > a reserved name",
      "permissions: grant, revoke, get > a workspace",
      "permissions: grant, revoke, get > of a workspace",
      "permissions: grant, revoke, get > revoked of a workspace",
    ],
    reason: "The message says the same in words of Plinth's own.",
    ignore: "message",
  },
  {
    at: ["roles: create, read, change, delete > a workspace that is not there"],
    reason: "A role of a workspace that is not there would be a right to whatever gets that name.",
    answers: { status: 404, error_code: "RESOURCE_DOES_NOT_EXIST" },
  },
  {
    at: ["roles: create, read, change, delete > of a workspace that is not there"],
    reason: "Upstream shows the role that it let be made there.",
    ignore: "body",
  },
  {
    at: ["roles: create, read, change, delete > an empty description"],
    reason: "An empty description is none.",
    ignore: "body",
  },
  {
    at: ["permissions: grant, revoke, get > denied now"],
    reason:
      "Who was granted nothing else has no part in the workspace, which is said in place of the denial.",
    ignore: "body",
  },
];

/** The same for the auth server of 2.9.2. */
export const firstAuthDifferences: readonly Difference[] = [
  {
    at: ["experiments", "registered-models"].flatMap((kind) =>
      ["changed to what nobody knows", "made of what nobody knows"].map(
        (step) => `permissions of 2.9 on ${kind} > ${step}`,
      ),
    ),
    reason: "The message names the permissions that came later, too.",
    ignore: "message",
  },
];
