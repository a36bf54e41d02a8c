import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Caller } from "../../kernel/caller.ts";
import { PlinthError } from "../../kernel/errors.ts";
import { createLog } from "../../kernel/log.ts";
import { createSecrets } from "../../kernel/secrets.ts";
import { testDatabase } from "../../../test/harness.ts";
import { createIdentity, type Identity } from "./identity.ts";
import { createWorkspaces } from "./workspaces.ts";

let ground: Awaited<ReturnType<typeof testDatabase>>;
let time = 1_800_000_000_000;
/** Two processes: what one changes the other hears. */
let identities: [Identity, Identity];

const identity = (): Identity => {
  const { database } = ground;
  const now = (): number => time;
  return createIdentity({
    database,
    now,
    secrets: createSecrets([Buffer.alloc(32, 7)]),
    log: createLog({ level: "fatal" }),
    workspaces: createWorkspaces({ database, now, checkArtifactRoot: () => undefined, contents: () => [] }),
    loginRequired: true,
    defaultPermission: "NO_PERMISSIONS",
    passwordCost: { N: 2, r: 1, p: 1 },
  });
};

beforeAll(async () => {
  ground = await testDatabase();
  identities = [identity(), identity()];
});
afterAll(async () => {
  for (const one of identities) await one.close();
  await ground[Symbol.asyncDispose]();
});

type Secret = { text: string; until: number };
type Key = { name: string; secrets: Secret[]; active: boolean; expiresAt: number };

const MINUTE = 60_000;

type Step =
  | { do: "create"; minutes: number | undefined }
  | { do: "rotate"; key: number; retainMinutes: number }
  | { do: "switch"; key: number; active: boolean }
  | { do: "delete"; key: number }
  | { do: "shut out" | "let in" }
  | { do: "wait"; minutes: number }
  | { do: "use"; by: 0 | 1 };

const key = fc.nat(5);
const step = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("create"),
      minutes: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("rotate"), key, retainMinutes: fc.constantFrom(0, 5, 30) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("switch"), key, active: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete"), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("shut out", "let in") }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait"), minutes: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("use"), by: fc.constantFrom(0, 1) }) },
) as fc.Arbitrary<Step>;

/** The name of whoever is let in by a key's text. */
async function whoIs(by: Identity, text: string): Promise<string | undefined> {
  const request = {
    headers: { authorization: `Bearer ${text}` },
    method: "GET",
    ip: "::1",
    url: "/",
    site: "",
  };
  try {
    const caller: Caller = await by.authenticate(request);
    return caller.principal?.name;
  } catch (error) {
    if (error instanceof PlinthError && error.code === "unauthenticated") return undefined;
    throw error;
  }
}

let count = 0;

test("whatever is done to keys, each of their texts is let in exactly as long as it should be", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const [changing] = identities;
      const of = { name: `machine ${(count += 1)}` };
      await changing.principals.createPrincipal({ kind: "service_account", ...of });
      const keys: Key[] = [];
      const texts = new Map<string, Key | undefined>();
      let active = true;

      const take = (index: number): Key | undefined => keys[index % Math.max(keys.length, 1)];
      for (const one of steps) {
        if (one.do === "create") {
          const expiresAt = one.minutes === undefined ? Infinity : time + one.minutes * MINUTE;
          const name = `key ${texts.size}`;
          const made = await changing.apiKeys.createApiKey(of, {
            name,
            ...(expiresAt === Infinity ? {} : { expiresAt }),
          });
          const added = { name, secrets: [{ text: made.key, until: Infinity }], active: true, expiresAt };
          keys.push(added);
          texts.set(made.key, added);
        } else if (one.do === "rotate") {
          const found = take(one.key);
          if (found === undefined) continue;
          const made = await changing.apiKeys.rotateApiKey(of, { name: found.name }, one);
          const [latest] = found.secrets;
          const kept = one.retainMinutes === 0 || latest === undefined ? [] : [latest];
          for (const secret of kept) secret.until = time + one.retainMinutes * MINUTE;
          found.secrets = [{ text: made.key, until: Infinity }, ...kept];
          texts.set(made.key, found);
        } else if (one.do === "switch") {
          const found = take(one.key);
          if (found === undefined) continue;
          await changing.apiKeys.updateApiKey(of, { name: found.name }, { active: one.active });
          found.active = one.active;
        } else if (one.do === "delete") {
          const found = take(one.key);
          if (found === undefined) continue;
          await changing.apiKeys.deleteApiKey(of, { name: found.name });
          keys.splice(keys.indexOf(found), 1);
          found.secrets = [];
        } else if (one.do === "wait") {
          time += one.minutes * MINUTE;
        } else if (one.do === "use") {
          // The other process may know things of the 1.5 s before.
          if (one.by === 1) time += 2000;
          for (const [text, of_] of texts) {
            const secret = of_?.secrets.find((other) => other.text === text);
            const good =
              active &&
              of_?.active === true &&
              time < of_.expiresAt &&
              secret !== undefined &&
              time < secret.until;
            expect(await whoIs(identities[one.by], text)).toBe(good ? of.name : undefined);
          }
        } else {
          active = one.do === "let in";
          await changing.principals.setActive(of, active);
        }
      }
    }),
    { numRuns: 40 },
  );
});
