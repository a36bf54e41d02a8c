// The real clients log in by password, API key, device and token, and keep users, service accounts and keys. What they
// send is what was recorded of them against ZenML's own server; what they make of the answers is what they show.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zenmlClients } from "../src/environment.ts";
import { startPlinth, type Target } from "../src/target.ts";
import { runZenmlFlow } from "./flow.ts";

const password = "the password of the first administrator";

let target: Target | undefined;
const seenBy = new Map<string, Readonly<Record<string, unknown>>>();

beforeAll(async () => {
  target = await startPlinth(["--login", "required"], { PLINTH_ADMIN_PASSWORD: password });
  const { url } = target;
  const env = { ADMIN_NAME: "admin", ADMIN_PASSWORD: password };
  await Promise.all(
    zenmlClients.map(async (version) => {
      seenBy.set(version, await runZenmlFlow({ version, script: "login", url, env }));
    }),
  );
});
afterAll(async () => {
  if (target !== undefined) expect(await target.stop()).toBe(0);
});

const logsIn = (grant: string): string[] => [
  "GET /info 200",
  "GET /current-user 401",
  `POST /login ${grant} 200`,
  "GET /info 200",
  "GET /current-user 200",
];

describe.each(zenmlClients)("zenml %s", (version) => {
  const seen = (name: string): unknown => seenBy.get(version)?.[name];

  it("logs in by password, and is told its own version", () => {
    expect(seen("password")).toEqual({
      exchanges: logsIn("password"),
      me: ["admin", true, false, true],
      version,
      server: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      expires_in: 3600,
    });
  });

  it("logs in by API key, uses its token in the next process, and logs in anew when that has ended", () => {
    expect(seen("api_key")).toEqual({
      exchanges: logsIn("zenml-api-key"),
      me: [true, false, true],
      expires_in: 3600,
      forbidden: ["IllegalOperationError", expect.any(String)],
      next_process: ["GET /info 200", "GET /current-user 401", "GET /current-user 200"],
      ended: ["POST /login zenml-api-key 200"],
      refused: [
        "GET /current-user 401",
        "POST /login zenml-api-key 200",
        "GET /info 200",
        "GET /current-user 200",
      ],
    });
  });

  it("finds the default stack without a role, and nothing else", () => {
    expect(seen("no_role")).toEqual({ stacks: ["default"], active: [null, "default"], projects: 0, tags: 0 });
  });

  it("logs in by device: waits for a person, gets its token once, and is shut out by a lock", () => {
    const byDevice = "POST /login urn:ietf:params:oauth:grant-type:device_code";
    const device = seen("device") as { exchanges: readonly string[] };
    // On a busy machine it asks more than once before it is let in.
    const exchanges = device.exchanges.filter((one, index) => one !== device.exchanges[index - 1]);
    expect({ ...device, exchanges }).toEqual({
      exchanges: [
        "POST /device_authorization 200",
        `${byDevice} 400`,
        `${byDevice} 200`,
        "GET /info 200",
        "GET /current-user 401",
        "GET /current-user 200",
        "GET /devices 200",
      ],
      opened: true,
      waited: true,
      me: true,
      expires_in: 86_400,
      devices: [[true, "active", version]],
      locked: 401,
    });
  });

  it("uses a token that was asked for; there are none for work yet", () => {
    expect(seen("api_token")).toEqual({ me: true, workload: ["ValueError", expect.any(String)] });
  });

  it("raises the exceptions that its own server's answers raise", () => {
    expect(seen("users")).toEqual({
      created: [true, false, true],
      invited: [false, true],
      found: [1, true],
      updated: "A User",
      not_theirs: ["IllegalOperationError", expect.any(String)],
      again: ["EntityExistsError", expect.any(String)],
      missing: ["KeyError", expect.any(String)],
      weak: ["ValueError", expect.stringContaining("12 characters")],
    });
  });

  it("keeps service accounts, and their keys, which are shown once", () => {
    expect(seen("accounts")).toEqual({
      listed: [1, true, "builds"],
      key: true,
      keys: [1, "default", null, true],
    });
    expect(seen("gone")).toEqual(["KeyError", 0]);
  });

  it("is refused with what was taken away, and the tokens made with it", () => {
    expect(seen("rotation")).toEqual({ grace: [true, true], old: "CredentialsNotValid" });
    expect(seen("revoked")).toEqual({ token: [401, "CredentialsNotValid"], key: "CredentialsNotValid" });
    expect(seen("password_change")).toEqual({
      status: 200,
      token: 401,
      old: "CredentialsNotValid",
      new: true,
    });
  });
});
