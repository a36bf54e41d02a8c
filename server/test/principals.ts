import type { NewPrincipal, PrincipalRow } from "../src/modules/identity/index.ts";
import type { TestServer } from "./harness.ts";

type Headers = Record<string, string>;

export const basic = (name: string, password: string): Headers => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`,
});

export const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

export type Person = { row: PrincipalRow; password: string; headers: Headers };

type About = Partial<Omit<NewPrincipal, "name" | "kind">> & {
  /** A role of this workspace: `viewer`, `editor`, `admin`, or one that was made before. */
  workspace?: string;
  role?: string;
};

/** A user with a password, and what it sends along. */
export async function person(server: TestServer, name: string, about: About = {}): Promise<Person> {
  const { workspace = "default", role, password = `the password of ${name}`, ...fields } = about;
  const { principals, roles } = server.app.identity;
  const row = await principals.createPrincipal({ kind: "user", name, password, ...fields });
  if (role !== undefined) {
    const found = await roles.findRole(workspace, role);
    if (found === undefined) throw new Error(`No role ${role} in ${workspace}.`);
    await roles.assignRole({ principalId: row.principal_id }, found.role_id);
  }
  return { row, password, headers: basic(name, password) };
}

/** A service account with a key, and what it sends along. */
export async function machine(
  server: TestServer,
  name: string,
): Promise<{ row: PrincipalRow; key: string; keyId: string; headers: Headers }> {
  const { principals, apiKeys } = server.app.identity;
  const row = await principals.createPrincipal({ kind: "service_account", name });
  const { key, row: keyRow } = await apiKeys.createApiKey({ name }, { name: "key" });
  return { row, key, keyId: keyRow.key_id, headers: bearer(key) };
}
