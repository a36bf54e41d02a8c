import { entityScenario } from "../entity-cases.ts";
import type { Save } from "../../mlflow/scenario.ts";
import { del, get, post, put, type Scenario, type Step } from "../requests.ts";

const missing = "7d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c11";

/** The step as whoever has this token, saved before. */
export const as = (token: string, step: Step): Step => ({
  ...step,
  headers: { ...step.headers, authorization: `Bearer {${token}}` },
});

const form = { "content-type": "application/x-www-form-urlencoded" };
export const login = (label: string, fields: string, save: Save = {}): Step => ({
  label,
  method: "POST",
  path: "/login",
  raw: fields,
  headers: form,
  save,
});

const first = "the first pass of {unique}";
const second = "the second pass of {unique}";
const logged = { token: "access_token" };
const byPassword = (name: string, password: string): string =>
  `grant_type=password&username={unique}-${name}&password=${password.replaceAll(" ", "+")}`;

/** Users, who log in by password, invite, activate and change themselves. */
export const accountScenarios: readonly Scenario[] = [
  entityScenario({
    name: "users",
    path: "/users",
    seeds: {
      first: {
        name: "{unique}-first",
        full_name: "The First",
        email: "{unique}@example.org",
        email_opted_in: true,
        password: first,
        active: true,
        is_admin: false,
        user_metadata: { a: 1.0, b: { c: [null] } },
        avatar_url: "https://example.org/a.png",
      },
      invited: { name: "{unique}-invited", full_name: "The Invited", is_admin: false },
      admin: { name: "{unique}-admin", full_name: "Who Administers", password: first, is_admin: true },
    },
    required: ["name", "is_admin"],
    probed: ["full_name", "email", "is_admin", "active", "user_metadata", "email_opted_in"],
    variants: {
      "neither active nor invited": { active: false },
      "active without a password": { password: null, active: true },
      "opted in without an address": { email: null, email_opted_in: true },
      "an external id": { external_user_id: missing },
      "an external id that is none": { external_user_id: "nobody" },
      "a full name of 256 letters": { full_name: "n".repeat(256) },
      "an address of 256 letters": { email: "n".repeat(256) },
      "a password of 256 letters": { password: "n".repeat(256) },
      "a password that is a number": { password: 123_456_789_012 },
      "claims of a provider": { oidc_claims: { sub: "s", groups: ["g"] } },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      "shown otherwise": { full_name: "Another", avatar_url: "https://example.org/b.png" },
      described: { user_metadata: { b: 2.5 } },
      "claims of its own": { oidc_claims: { sub: "x" }, external_user_id: missing },
      "made an administrator": { is_admin: true },
      "made none any more": { is_admin: false },
      "put out": { active: false },
      "let in again": { active: true },
      "a project of its own": { default_project_id: "{project}" },
      "renamed to a name that is taken": { name: "{unique}-invited" },
      "an address": { email: "other@example.org", email_opted_in: true },
      "a password": { password: second },
      "a password and the one before": { password: second, old_password: first },
    },
    probedUpdates: ["full_name", "is_admin", "user_metadata", "default_project_id"],
    scope: { name: "startswith:{unique}" },
    orders: ["created", "name", "full_name"],
    further: [
      put("a project that is not there", "/users/{first}", { default_project_id: missing }),
      put("one that is there", "/users/{first}", { default_project_id: "{project}" }),
      get("by name", "/users/{unique}-admin"),
      get("one that is not there, by name", "/users/{unique}-nobody"),
      put("changed by name", "/users/{unique}-admin", { full_name: "By Name" }),
      put("deactivated", "/users/{admin}/deactivate"),
      put("deactivated twice", "/users/{unique}-admin/deactivate"),
      put("nobody is deactivated", "/users/{unique}-nobody/deactivate"),
      put("one's own account is not", "/users/{admin_name}/deactivate"),
      del("nor deleted", "/users/{admin_name}"),
      get("with metadata", "/users", { name: "{unique}-admin", hydrate: "true" }),
      del("deleted by name", "/users/{unique}-admin"),
    ],
    given: [get("who one is", "/current-user", undefined, { admin_name: "name" })],
  }),
  {
    name: "users in and out",
    steps: [
      post(
        "given an invited user",
        "/users",
        { name: "{unique}-guest", is_admin: false },
        { guest: "id", activation: "body.activation_token" },
      ),
      login("not let in yet", byPassword("guest", first)),
      put("activated without a token", "/users/{guest}/activate", { password: first }),
      put("activated with another token", "/users/{guest}/activate", {
        password: first,
        activation_token: "0".repeat(64),
      }),
      put("nobody is activated", "/users/{unique}-nobody/activate", { activation_token: "{activation}" }),
      put("activated", "/users/{unique}-guest/activate", {
        password: first,
        activation_token: "{activation}",
        full_name: "The Guest",
        email: "{unique}@example.org",
        user_metadata: { a: 1.0 },
        is_admin: true,
      }),
      put("activated twice", "/users/{guest}/activate", {
        password: second,
        activation_token: "{activation}",
      }),
      login("a wrong password", byPassword("guest", second)),
      login("nobody", byPassword("nobody", second)),
      login("in", byPassword("guest", first), logged),
      login("without a grant type", byPassword("guest", first).replace("grant_type=password&", "")),
      login("an empty password", "grant_type=password&username={unique}-guest&password="),
      login("no password", "grant_type=password&username={unique}-guest"),
      login("no name", "grant_type=password&password=x"),
      login("a grant type that is none", "grant_type=nothing&username=x&password=y"),
      login("nothing at all", ""),
      as("token", get("who it is", "/current-user")),
      as("token", get("who it is, without metadata", "/current-user", { hydrate: "false" })),
      as("token", get("it sees itself", "/users/{guest}")),
      as("token", get("it does not see others", "/users/{admin}")),
      as("token", get("it lists itself", "/users")),
      as("token", post("it makes nobody", "/users", { name: "{unique}-child", is_admin: false })),
      as("token", put("it changes no one else", "/users/{admin}", { full_name: "x" })),
      as("token", del("it deletes nobody", "/users/{admin}")),
      as("token", del("nor itself", "/users/{guest}")),
      as("token", put("it deactivates nobody", "/users/{admin}/deactivate")),
      as("token", put("it does not deactivate itself", "/users/{guest}/deactivate")),
      as("token", put("it makes itself no administrator", "/users/{guest}", { is_admin: true })),
      as("token", put("it is active already", "/users/{guest}", { active: true, is_admin: false })),
      as("token", put("it does not put itself out", "/users/{guest}", { active: false })),
      as("token", put("its full name", "/users/{guest}", { full_name: "The Very Guest" })),
      as("token", put("its address", "/users/{guest}", { email: "g@example.org" })),
      as("token", put("opted out", "/users/{guest}", { email: "g@example.org", email_opted_in: false })),
      as("token", put("its project", "/users/{guest}", { default_project_id: null })),
      as("token", put("by the other way", "/current-user", { full_name: "Myself", user_metadata: { c: 3 } })),
      as("token", put("its avatar", "/current-user", { avatar_url: "https://example.org/g.png" })),
      as("token", put("opted in without an address", "/current-user", { email_opted_in: true })),
      as("token", put("opted in", "/current-user", { email_opted_in: true, email: "h@example.org" })),
      as("token", put("no administrator here either", "/current-user", { is_admin: true, active: false })),
      as("token", get("what came of it", "/current-user")),
      as(
        "token",
        put("the other question about mail", "/users/{guest}/email-opt-in", { email_opted_in: false }),
      ),
      as(
        "token",
        put("it answers for nobody else", "/users/{admin}/email-opt-in", { email_opted_in: false }),
      ),
      as("token", put("a password alone", "/current-user", { password: second })),
      as("token", put("a wrong password before", "/current-user", { password: second, old_password: "no" })),
      as("token", put("a password as well", "/current-user", { password: second, old_password: first })),
      login("the one before is none any more", byPassword("guest", first)),
      login("in with the new one", byPassword("guest", second), logged),
      as("token", put("and once more", "/users/{guest}", { password: first, old_password: second })),
      as("token", put("with one that is wrong", "/users/{guest}", { password: first, old_password: second })),
      login("in again", byPassword("guest", first), logged),
      put("deactivated", "/users/{guest}/deactivate", undefined),
      login("no more", byPassword("guest", first)),
      as("token", get("nor with its token", "/current-user")),
      get("read after that", "/users/{guest}"),
      {
        label: "a token that is none",
        method: "GET",
        path: "/current-user",
        headers: { authorization: "Bearer x" },
      },
    ],
  },
  {
    name: "users who own things",
    steps: [
      post(
        "given an owner",
        "/users",
        { name: "{unique}-owner", is_admin: true, password: first },
        { owner: "id" },
      ),
      login("in", byPassword("owner", first), logged),
      as(
        "token",
        post("given what it owns", "/tags", { name: "{unique}-owned", color: "red" }, { tag: "id" }),
      ),
      get("whose it is", "/tags/{tag}"),
      get("tags of it", "/tags", { user: "{unique}-owner" }),
      del("it is not deleted", "/users/{owner}"),
      as("token", del("what it owns is deleted", "/tags/{tag}")),
      as("token", put("it is not the last one, but itself", "/users/{owner}", { is_admin: false })),
      del("now it is", "/users/{owner}"),
      as("token", get("its token is good for nothing", "/current-user")),
    ],
  },
];
