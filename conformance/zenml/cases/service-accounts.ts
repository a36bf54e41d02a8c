import { entityScenario } from "../entity-cases.ts";
import type { ZenmlVersion } from "../../src/environment.ts";
import { del, get, post, put, sweepOf, type Scenario } from "../requests.ts";
import { as, login } from "./accounts.ts";

const missing = "7d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c11";
const keys = "/service_accounts/{robot}/api_keys";

const givenAccount = (name = "robot") =>
  post(
    `given account ${name}`,
    "/service_accounts",
    { name: `{unique}-${name}`, active: true, description: "Does things" },
    { [name]: "id" },
  );
const byKey = (key: string): string => `grant_type=zenml-api-key&password={${key}}`;
const logged = { token: "access_token" };

const accountsOf = (version: ZenmlVersion): Scenario => {
  // Those of 0.84 are shown by their names, and have no pictures.
  const shown = version === "0.98.0" ? ["full_name", "avatar_url"] : [];
  return entityScenario({
    name: `service accounts of ${version}`,
    versions: [version],
    path: "/service_accounts",
    given: [get("who one is", "/current-user", undefined, { admin_name: "name" })],
    seeds: {
      first: {
        name: "{unique}-first",
        ...(shown.length === 0 ? {} : { full_name: "The First" }),
        description: "Builds",
        active: true,
        avatar_url: "https://example.org/a.png",
      },
      second: { name: "{unique}-second", active: false, full_name: "The Second" },
      third: { name: "{unique}-third", active: true, description: "" },
    },
    required: ["name", "active"],
    probed: ["description", "active", ...shown],
    variants: {
      ...(shown.length === 0 ? {} : { "a full name of 256 letters": { full_name: "n".repeat(256) } }),
      "a long description": { description: "d".repeat(2_000) },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      ...(shown.length === 0
        ? {}
        : { "shown otherwise": { full_name: "Another", avatar_url: "https://example.org/b.png" } }),
      described: { description: "Another" },
      "put out": { active: false },
      "let in again": { active: true },
      "all left as it was": {
        name: null,
        full_name: null,
        description: null,
        active: null,
        avatar_url: null,
      },
      "renamed to a name that is taken": { name: "{unique}-second" },
    },
    probedUpdates: ["description", "active", ...shown],
    scope: { name: "startswith:{unique}" },
    orders: ["created", "name"],
    further: [
      get("by name", "/service_accounts/{unique}-second"),
      get("one that is not there, by name", "/service_accounts/{unique}-nobody"),
      get("it is no user", "/users/{first}"),
      put("changed by name", "/service_accounts/{unique}-second", { description: "By name" }),
      post("the name of a user", "/service_accounts", { name: "{admin_name}", active: true }),
      put("it is not deactivated as users are", "/users/{first}/deactivate"),
      del("nor deleted", "/users/{first}"),
      del("deleted by name", "/service_accounts/{unique}-third"),
    ],
  });
};

/** Service accounts and the keys that they log in with. */
export const serviceAccountScenarios: readonly Scenario[] = [
  accountsOf("0.98.0"),
  accountsOf("0.84.0"),
  entityScenario({
    name: "keys",
    path: keys,
    given: [givenAccount()],
    seeds: {
      first: { name: "{unique}-first", description: "The first" },
      second: { name: "{unique}-second" },
    },
    required: ["name"],
    probed: ["name", "description"],
    variants: { "a long description": { description: "d".repeat(2_000) } },
    updates: {
      renamed: { name: "{unique}-renamed" },
      described: { description: "Another" },
      "put out": { active: false },
      "let in again": { active: true },
      "renamed to a name that is taken": { name: "{unique}-second" },
    },
    probedUpdates: ["description", "active"],
    scope: {},
    orders: ["created", "name"],
    further: [
      get("by name", `${keys}/{unique}-second`),
      put("changed by name", `${keys}/{unique}-second`, { description: "By name" }),
      put("rotated by name", `${keys}/{unique}-second/rotate`, {}),
      put("rotated", `${keys}/{first}/rotate`, { retain_period_minutes: 10 }),
      get("read after that", `${keys}/{first}`),
      put("rotated at once", `${keys}/{first}/rotate`, { retain_period_minutes: 0 }),
      put("a time that is none", `${keys}/{first}/rotate`, { retain_period_minutes: "long" }),
      put("a time before", `${keys}/{first}/rotate`, { retain_period_minutes: -1 }),
      put("rotated without a word", `${keys}/{first}/rotate`),
      put("what is not there is rotated", `${keys}/${missing}/rotate`, {}),
      get("keys of nobody", `/service_accounts/${missing}/api_keys`),
      get("keys by the name of the account", "/service_accounts/{unique}-robot/api_keys"),
      post("a key for nobody", `/service_accounts/${missing}/api_keys`, { name: "x" }),
      get("keys of a user", "/service_accounts/{admin}/api_keys"),
      post("a key for a user", "/service_accounts/{admin}/api_keys", { name: "x" }),
    ],
  }),
  {
    name: "keys in and out",
    steps: [
      givenAccount(),
      post("given a key", keys, { name: "one" }, { key: "id", secret: "body.key" }),
      login("in", byKey("secret"), logged),
      login("without a grant type", "password={secret}"),
      login("as a user", "grant_type=password&username={unique}-robot&password={secret}"),
      login("a key that is none", "grant_type=zenml-api-key&password=ZENKEY_nothing"),
      login("no key", "grant_type=zenml-api-key"),
      as("token", get("who it is", "/current-user")),
      as("token", get("it is no user either", "/users/{robot}")),
      as("token", get("it sees itself", "/service_accounts/{robot}")),
      as("token", get("its keys", keys)),
      get("its key was used", `${keys}/{key}`),
      post("given a second key", keys, { name: "two" }, { other: "id" }),
      {
        ...put("rotated", `${keys}/{key}/rotate`, { retain_period_minutes: 10 }),
        save: { next: "body.key" },
      },
      login("in with the new one", byKey("next")),
      login("and with the one before", byKey("secret")),
      as("token", get("its token is still good", "/current-user")),
      { ...put("rotated at once", `${keys}/{key}/rotate`, {}), save: { last: "body.key" } },
      login("not with the one before", byKey("next")),
      login("nor with the first", byKey("secret")),
      login("but with the last", byKey("last"), logged),
      put("put out", `${keys}/{key}`, { active: false }),
      login("no more", byKey("last")),
      as("token", get("nor with its token", "/current-user")),
      put("let in again", `${keys}/{key}`, { active: true }),
      login("again", byKey("last"), logged),
      put("the account is put out", "/service_accounts/{robot}", { active: false }),
      login("it does not log in", byKey("last")),
      as("token", get("its token is nothing", "/current-user")),
      put("the account is let in", "/service_accounts/{robot}", { active: true }),
      login("once more", byKey("last"), logged),
      sweepOf(keys, { scope: {}, orders: ["name"] }),
      del("the key is deleted", `${keys}/{key}`),
      login("it is nothing now", byKey("last")),
      as("token", get("nor is its token", "/current-user")),
      del("the account is deleted", "/service_accounts/{robot}"),
      get("its keys are gone", keys),
    ],
  },
  {
    name: "robots who want more",
    // Those of 0.84 may do all of this.
    versions: ["0.98.0"],
    steps: [
      givenAccount(),
      post("given a key", keys, { name: "one" }, { key: "id", secret: "body.key" }),
      login("in", byKey("secret"), logged),
      as("token", post("it makes itself no other", keys, { name: "two" })),
      as("token", post("nor an account", "/service_accounts", { name: "{unique}-child", active: true })),
      as("token", put("it does not change itself", "/service_accounts/{robot}", { full_name: "x" })),
      as("token", put("nor its key", `${keys}/{key}`, { description: "x" })),
      as("token", put("nor as users do", "/current-user", { full_name: "x" })),
      as("token", del("it does not delete itself", "/service_accounts/{robot}")),
    ],
  },
];
