import { get, newExperiment, patch, post, remove, type Scenario, type Step } from "../scenario.ts";
import { ann, bob, by, newUser } from "./auth-users.ts";

/** The endpoints of MLflow 2.9 on one kind of thing; `name` is the parameter that names one, `{thing}` its value. */
function permissionsOn(
  kind: string,
  { name, thing, given, read }: { name: string; thing: string; given: Step; read: Step },
): Scenario {
  const path = `${kind}/permissions`;
  const on = (fields: Record<string, unknown> = {}) => ({
    [name]: thing,
    username: "{unique}-ann",
    ...fields,
  });
  const query = (username = "{unique}-ann") => ({ [name]: thing, username });
  return {
    name: `permissions of 2.9 on ${kind}`,
    steps: [
      newUser("ann"),
      newUser("bob"),
      by(bob, given),
      get("of who made it", `${path}/get`, query("{unique}-bob")),
      get("of somebody else", `${path}/get`, query()),
      by(bob, post("made by who manages it", `${path}/create`, on({ permission: "READ" }))),
      by(bob, post("made once more", `${path}/create`, on({ permission: "EDIT" }))),
      by(ann, read),
      get("read by an administrator", `${path}/get`, query()),
      by(bob, get("read by who manages it", `${path}/get`, query())),
      by(ann, get("read by who may only read it", `${path}/get`, query())),
      by(ann, post("made by who may only read it", `${path}/create`, on({ permission: "MANAGE" }))),
      by(ann, patch("changed by who may only read it", `${path}/update`, on({ permission: "MANAGE" }))),
      by(ann, remove("deleted by who may only read it", `${path}/delete`, on())),
      by(bob, patch("changed", `${path}/update`, on({ permission: "NO_PERMISSIONS" }))),
      by(ann, { ...read, label: "the thing, without permissions" }),
      get("changed, read", `${path}/get`, query()),
      get("with the user", "users/get", { username: "{unique}-ann" }),
      patch("changed to what nobody knows", `${path}/update`, on({ permission: "WRITE" })),
      patch("changed of nobody", `${path}/update`, on({ username: "{unique}-x", permission: "READ" })),
      patch("changed where there is none", `${path}/update`, {
        ...on({ permission: "READ" }),
        [name]: "4000000",
      }),
      post("made of nobody", `${path}/create`, on({ username: "{unique}-x", permission: "READ" })),
      post("made of what nobody knows", `${path}/create`, on({ permission: "WRITE" })),
      post("made of nothing", `${path}/create`, {}),
      post("made without a permission", `${path}/create`, on()),
      get("read without a name", `${path}/get`, { [name]: thing }),
      patch("changed without a permission", `${path}/update`, on()),
      by(bob, remove("deleted", `${path}/delete`, on())),
      by(bob, remove("deleted once more", `${path}/delete`, on())),
      remove("deleted of nobody", `${path}/delete`, on({ username: "{unique}-x" })),
      get("gone", `${path}/get`, query()),
      by("nobody", get("read by nobody", `${path}/get`, query())),
      get("with the user who made it", "users/get", { username: "{unique}-bob" }),
    ],
  };
}

export const authPermissions: readonly Scenario[] = [
  permissionsOn("experiments", {
    name: "experiment_id",
    thing: "{experiment}",
    given: newExperiment(),
    read: get("the thing", "experiments/get", { experiment_id: "{experiment}" }),
  }),
  permissionsOn("registered-models", {
    name: "name",
    thing: "{unique} model",
    given: post("given model", "registered-models/create", { name: "{unique} model" }),
    read: get("the thing", "registered-models/get", { name: "{unique} model" }),
  }),
];
