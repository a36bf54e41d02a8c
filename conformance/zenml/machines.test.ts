// Machines that are reached by SSH: the server itself logs in to OpenSSH's own server with the connector's key.
import { afterAll, beforeAll, expect, it } from "vitest";
import { zenmlClients } from "../src/environment.ts";
import { admin, startGuardedPlinth, type Target } from "../src/target.ts";
import { asAdmin, runZenmlFlow } from "./flow.ts";
import { startSshd, whyNoSshd, type Sshd } from "./sshd.ts";

const missing = whyNoSshd();
let target: Target | undefined;
let host: Sshd | undefined;

beforeAll(async () => {
  if (missing !== undefined) return;
  [target, host] = await Promise.all([
    startGuardedPlinth(["--outbound-allowed-hosts", "127.22.0.0/16"]),
    startSshd(),
  ]);
});
afterAll(async () => {
  await host?.stop();
  if (target !== undefined) expect(await target.stop()).toBe(0);
});

interface Done {
  readonly command: string;
  readonly code: number;
  readonly output: string;
}

const kinds = [
  ["rsa", ["-t", "rsa", "-b", "2048", "-N", ""]],
  ["ecdsa", ["-t", "ecdsa", "-b", "384", "-N", ""]],
  ["ed25519", ["-t", "ed25519", "-N", ""]],
] as const;

it.for(zenmlClients)("zenml %s registers and verifies connectors to machines", async (version, context) => {
  if (target === undefined || host === undefined) return context.skip(missing);
  const { url } = target;
  const { address, user } = host;
  const name = `v${version.replaceAll(".", "")}`;
  const register = (connector: string, kind: string, key: string, more: readonly string[] = []): string[] => [
    "service-connector",
    "register",
    `${name}-${connector}`,
    "--type=hyperai",
    `--auth-method=${kind}-key`,
    `--base64_ssh_key=${Buffer.from(key).toString("base64")}`,
    `--hostnames=${address}`,
    `--username=${user}`,
    ...more,
  ];
  const keys = new Map(kinds.map(([kind, args]) => [kind, host?.key(`${name}-${kind}`, args) ?? ""]));
  const pem = host.key(`${name}-pem`, ["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "open sesame"]);
  const locked = host.key(`${name}-locked`, ["-t", "ed25519", "-N", "open sesame"]);
  const strange = host.key(`${name}-strange`, ["-t", "ed25519", "-N", ""], false);
  const passphrase = "--ssh_passphrase=open sesame";
  const good = [
    ...[...keys].map(([kind, key]) => register(kind, kind, key)),
    register("pem", "rsa", pem, [passphrase]),
    register("locked", "ed25519", locked, [passphrase]),
    ["service-connector", "verify", `${name}-rsa`],
    ["service-connector", "verify", `${name}-locked`, "--resource-id", address],
    ["service-connector", "list-resources", "--connector-type", "hyperai"],
  ];
  const bad: (readonly [string[], RegExp])[] = [
    [register("no", "ed25519", strange), /does not accept the username and the key/],
    [register("no", "rsa", keys.get("ed25519") ?? ""), /of the type ssh-ed25519, not ssh-rsa/],
    [
      register("no", "ed25519", locked, ["--ssh_passphrase=wrong"]),
      /cannot be decrypted with the passphrase/,
    ],
    [register("no", "ed25519", locked), /encrypted, and there is no passphrase/],
    [register("no", "rsa", "no key"), /the SSH key cannot be read/],
    [
      [
        ...register("no", "ed25519", strange).filter((one) => !one.startsWith("--hostnames")),
        "--hostnames=127.21.0.1",
      ],
      /is not a public address/,
    ],
    [
      ["service-connector", "verify", `${name}-rsa`, "--resource-id", "10.9.8.7"],
      /not in the list of configured hostnames/,
    ],
  ];
  const before = host.accepted().length;
  const steps = [...good, ...bad.map(([args]) => args)].map((args) => ({ args }));
  const args = [JSON.stringify(steps)];
  const done = await runZenmlFlow<Done[]>({ version, script: "commands", url, args, env: asAdmin(url) });
  for (const { command, code, output } of done.slice(0, good.length))
    expect(code, `${command}\n${output}`).toBe(0);
  const said = (at: number): string => done[at]?.output.replaceAll(/\s+/g, " ") ?? "";
  expect(said(good.length - 1)).toContain(address);
  for (const [at, [, words]] of bad.entries()) {
    expect(done[good.length + at]?.code).not.toBe(0);
    expect(said(good.length + at)).toMatch(words);
  }
  // Each command proved the key to the machine itself.
  expect(host.accepted().slice(before)).toEqual(
    expect.arrayContaining([`${user} RSA`, `${user} ECDSA`, `${user} ED25519`]),
  );
  expect(host.accepted().length - before).toBeGreaterThanOrEqual(good.length);

  expect(await clientOf(`${name}-locked`, { url, address })).toMatchObject({
    resource_id: address,
    configuration: {
      hostnames: [address],
      username: user,
      base64_ssh_key: Buffer.from(locked).toString("base64"),
    },
  });
});

/** What a step gets of a connector. */
async function clientOf(name: string, { url, address }: { url: string; address: string }): Promise<unknown> {
  const form = new URLSearchParams(admin);
  const login = await fetch(`${url}/api/v1/login`, { method: "POST", body: form });
  const { access_token: token } = (await login.json()) as { access_token: string };
  const get = async (path: string): Promise<unknown> =>
    (await fetch(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })).json();
  const { items } = (await get(`/service_connectors?name=${name}`)) as { items: { id: string }[] };
  const asked = `resource_type=hyperai-instance&resource_id=${address}`;
  const answer = (await get(`/service_connectors/${items[0]?.id}/client?${asked}`)) as {
    body: Record<string, unknown>;
    metadata: Record<string, unknown>;
  };
  return { ...answer.body, ...answer.metadata };
}
