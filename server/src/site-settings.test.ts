import { expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { readGroupRole } from "./site-settings.ts";

const oidc = {
  "public-url": "https://plinth.test",
  "oidc-issuer": "https://accounts.test/realms/ml",
  "oidc-client-id": "plinth",
};

test("takes what a provider needs", () => {
  const { config } = readConfig({ ...oidc, "oidc-group-roles": "ml-team=research:editor, ops=admin" }, {});
  expect(config.oidcGroupRoles.map(readGroupRole)).toEqual([
    { group: "ml-team", workspace: "research", role: "editor" },
    { group: "ops", admin: true },
  ]);
  expect(config.publicUrl).toBe("https://plinth.test");
});

test("takes groups that are named as directories name them", () => {
  expect(readGroupRole("/company/ml team=research:viewer")).toMatchObject({ group: "/company/ml team" });
  expect(readGroupRole("CN=ml=research:viewer")).toEqual({
    group: "CN=ml",
    workspace: "research",
    role: "viewer",
  });
});

test.each([
  ["public-url", "plinth.test"],
  ["public-url", "https://plinth.test/path"],
  ["public-url", "https://user@plinth.test"],
  ["public-url", "ftp://plinth.test"],
  ["trusted-proxies", "loopback"],
  ["trusted-proxies", "0.0.0.0/0"],
  ["trusted-proxies", "::/0"],
  ["trusted-proxies", "10.0.0.0/33"],
  ["trusted-proxies", "10.0.0.0/8/8"],
  ["trusted-proxies", "*"],
  ["cors-origins", "*"],
  ["cors-origins", "null"],
  ["cors-origins", "https://app.test/"],
  ["cors-origins", "https://*.test"],
  ["cors-origins", "app.test"],
  ["oidc-issuer", "http://accounts.test"],
  ["oidc-issuer", "https://accounts.test?x=y"],
  ["oidc-scopes", "profile"],
  ["oidc-groups-claim", "a b"],
  ["oidc-group-roles", "ml-team"],
  ["oidc-group-roles", "ml-team=research"],
  ["oidc-group-roles", "=research:editor"],
  ["oidc-group-roles", "ml-team=research:"],
  ["oidc-group-roles", "ml-team=a:b:c"],
])("refuses --%s %s", (flag, value) => {
  expect(() => readConfig({ ...oidc, [flag]: value }, {})).toThrow(`--${flag}: '${value}' is not valid`);
});

test.each<[string, Record<string, string>]>([
  ["--oidc-client-id has no effect without --oidc-issuer", { "oidc-client-id": "plinth" }],
  ["--oidc-client-secret has no effect without --oidc-issuer", { "oidc-client-secret": "x" }],
  ["--oidc-group-roles has no effect without --oidc-issuer", { "oidc-group-roles": "ops=admin" }],
  ["--oidc-issuer needs --oidc-client-id", { "oidc-issuer": "https://accounts.test" }],
  [
    "--oidc-issuer needs --public-url",
    { "oidc-issuer": "https://accounts.test", "oidc-client-id": "plinth" },
  ],
])("says that %s", (message, flags) => {
  expect(() => readConfig(flags, {})).toThrow(message);
});
