import { randomUUID } from "node:crypto";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/harness.ts";
import { createChangeFeed, type ChangeFeed } from "./change-feed.ts";
import { createDevices, type Devices, type StartedDevice } from "./devices.ts";

type Ground = Awaited<ReturnType<typeof testDatabase>>;

const ground: Ground = await testDatabase();
const feed: ChangeFeed = createChangeFeed({ database: ground.database, now: () => Date.now() });
afterAll(async () => {
  await feed.close();
  await ground[Symbol.asyncDispose]();
});

const clock = { at: Date.UTC(2026, 0, 1) };
const start = (loginRequired = true): Devices =>
  createDevices({ database: ground.database, now: () => clock.at, loginRequired, feed });
const devices = start();

let count = 0;
const execute = (text: string, values: unknown[] = []) =>
  ground.database.prepared({ name: `test_${(count += 1)}`, text }, values);

async function makeUser(): Promise<{ principalId: number; uuid: string }> {
  const [row] = await execute(
    `insert into identity.principals (kind, name, creation_timestamp, last_updated_timestamp)
     values ('user', $1, 0, 0) returning principal_id, uuid`,
    [`user-${(count += 1)}`],
  );
  return { principalId: row?.["principal_id"] as number, uuid: row?.["uuid"] as string };
}

const address = (): string => `192.0.2.${(count += 1) % 250}`;

type Started = StartedDevice & { clientId: string; id: string };
async function startDevice(clientId: string = randomUUID()): Promise<Started> {
  const started = await devices.startDevice(clientId, { address: address(), hostname: "laptop" });
  return { ...started, clientId, id: started.device.device_id };
}

const poll = async ({ clientId, deviceCode }: Started): Promise<string> =>
  (await devices.pollDevice(clientId, deviceCode)).outcome;

beforeEach(() => {
  clock.at += 60 * 60 * 1000;
});

describe("a device", () => {
  test("is let in by the code it shows, in any case and with or without the hyphen, and logs in once", async () => {
    const user = await makeUser();
    const started = await startDevice();
    expect(started).toMatchObject({
      device: { status: "pending", hostname: "laptop", principal_id: null },
      userCode: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      deviceCode: expect.stringMatching(/^[0-9a-f]{64}$/),
      expiresInSeconds: 300,
      intervalSeconds: 5,
    });
    expect(await poll(started)).toBe("pending");
    const typed = started.userCode.replace("-", " ").toLowerCase();
    expect((await devices.findPendingDevice(typed))?.device_id).toBe(started.id);
    const verified = await devices.verifyDevice(started.id, typed, { by: user, trusted: false });
    expect(verified).toMatchObject({ status: "verified", principal_id: user.principalId });
    expect(await devices.findPendingDevice(typed)).toBeUndefined();
    const granted = await devices.pollDevice(started.clientId, started.deviceCode);
    expect(granted).toMatchObject({
      outcome: "granted",
      principalUuid: user.uuid,
      device: { status: "active", last_login_at: clock.at, expires_at: clock.at + 24 * 60 * 60 * 1000 },
    });
    expect(await poll(started)).toBe("expired");
    expect((await devices.listDevices(user.principalId)).map((row) => row.device_id)).toEqual([started.id]);
  });

  test("that is trusted stays logged in for seven days", async () => {
    const user = await makeUser();
    const started = await startDevice();
    await devices.verifyDevice(started.id, started.userCode, { by: user, trusted: true });
    const granted = await devices.pollDevice(started.clientId, started.deviceCode);
    expect(granted).toMatchObject({ device: { expires_at: clock.at + 7 * 24 * 60 * 60 * 1000 } });
  });

  test("is let in by people only", async () => {
    const account = await makeUser();
    await execute("update identity.principals set kind = 'service_account' where principal_id = $1", [
      account.principalId,
    ]);
    const started = await startDevice();
    const tried = devices.verifyDevice(started.id, started.userCode, { by: account, trusted: false });
    await expect(tried).rejects.toMatchObject({ code: "permission_denied" });
    expect(await poll(started)).toBe("pending");
  });

  test("is granted to one of those that poll at once", async () => {
    const user = await makeUser();
    const started = await startDevice();
    await devices.verifyDevice(started.id, started.userCode, { by: user, trusted: false });
    const other = start();
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        (index % 2 === 0 ? devices : other).pollDevice(started.clientId, started.deviceCode),
      ),
    );
    expect(outcomes.filter(({ outcome }) => outcome === "granted")).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === "expired")).toHaveLength(7);
  });

  test("is let in by one of two people", async () => {
    const started = await startDevice();
    const people = [await makeUser(), await makeUser()];
    const tried = await Promise.allSettled(
      people.map((by) => devices.verifyDevice(started.id, started.userCode, { by, trusted: false })),
    );
    expect(tried.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });

  test("is locked by three wrong codes, also those that come at once; the right one is too late then", async () => {
    const by = await makeUser();
    const started = await startDevice();
    const wrong = "BBBB-BBBB" === started.userCode ? "CCCC-CCCC" : "BBBB-BBBB";
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, () => devices.verifyDevice(started.id, wrong, { by, trusted: false })),
    );
    const codes = tries.map((tried) =>
      tried.status === "rejected" ? (tried.reason as { code: string }).code : "",
    );
    expect(codes.toSorted()).toEqual([
      ...Array.from({ length: 3 }, () => "invalid_parameter"),
      ...Array.from({ length: 7 }, () => "not_found"),
    ]);
    const right = devices.verifyDevice(started.id, started.userCode, { by, trusted: false });
    await expect(right).rejects.toMatchObject({ code: "not_found" });
    expect(await poll(started)).toBe("denied");
    await expect(devices.lockDevice(started.id, false)).rejects.toMatchObject({ code: "invalid_state" });
  });

  test("shows itself to whoever has its code, and counts wrong ones", async () => {
    const started = await startDevice();
    expect((await devices.checkUserCode(started.id, started.userCode)).hostname).toBe("laptop");
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(devices.checkUserCode(started.id, "nothing")).rejects.toMatchObject({
        code: "invalid_parameter",
      });
    }
    const tried = devices.checkUserCode(started.id, started.userCode);
    await expect(tried).rejects.toMatchObject({ code: "not_found" });
  });

  test("waits for five minutes, let in or not, and is then removed", async () => {
    const by = await makeUser();
    const [late, unpolled] = [await startDevice(), await startDevice()];
    await devices.verifyDevice(unpolled.id, unpolled.userCode, { by, trusted: false });
    clock.at += 300_000;
    const tried = devices.verifyDevice(late.id, late.userCode, { by, trusted: false });
    await expect(tried).rejects.toMatchObject({ code: "not_found" });
    expect(await devices.findPendingDevice(late.userCode)).toBeUndefined();
    expect([await poll(late), await poll(unpolled)]).toEqual(["expired", "expired"]);
    await devices.purge();
    expect(await poll(late)).toBe("expired");
    clock.at += 10 * 60_000;
    await devices.purge();
    expect(await poll(late)).toBe("unknown");
  });

  test("is told to slow down when it asks too often, and is pending when it does not", async () => {
    const started = await startDevice();
    const outcomes = [];
    for (const step of [0, 1000, 5000, 4500, 100]) {
      clock.at += step;
      outcomes.push(await poll(started));
    }
    expect(outcomes).toEqual(["pending", "slow_down", "pending", "pending", "slow_down"]);
  });

  test("is unknown by another client's id and by another code", async () => {
    const started = await startDevice();
    expect(await poll({ ...started, clientId: randomUUID() })).toBe("unknown");
    expect(await poll({ ...started, deviceCode: "0".repeat(64) })).toBe("unknown");
  });

  test("has no code in the database, and shows no hidden characters", async () => {
    const started = await devices.startDevice(randomUUID(), {
      address: address(),
      hostname: "safe\u202egpj.exe\u0000\u0007",
      os: "\u200b",
    });
    expect(started.device).toMatchObject({ hostname: "safegpj.exe", os: null });
    const [row] = await execute("select t::text as text from identity.devices as t where device_id = $1", [
      started.device.device_id,
    ]);
    expect(row?.["text"]).not.toContain(started.deviceCode);
    expect(row?.["text"]).not.toContain(started.userCode.replace("-", ""));
  });
});

describe("a device that logged in", () => {
  const loggedIn = async (
    user: { principalId: number },
    clientId: string = randomUUID(),
  ): Promise<Started> => {
    const started = await startDevice(clientId);
    await devices.verifyDevice(started.id, started.userCode, { by: user, trusted: false });
    expect(await poll(started)).toBe("granted");
    return started;
  };

  test("is locked and unlocked, and may not log in anew meanwhile", async () => {
    const user = await makeUser();
    const started = await loggedIn(user);
    expect((await devices.lockDevice(started.id, true)).status).toBe("locked");
    const again = await startDevice(started.clientId);
    const tried = devices.verifyDevice(again.id, again.userCode, { by: user, trusted: false });
    await expect(tried).rejects.toMatchObject({ code: "invalid_state" });
    expect((await devices.lockDevice(started.id, false)).status).toBe("active");
    await devices.verifyDevice(again.id, again.userCode, { by: user, trusted: false });
  });

  test("takes the place of its earlier login", async () => {
    const user = await makeUser();
    const [first, elsewhere] = [await loggedIn(user), await loggedIn(user)];
    const second = await loggedIn(user, first.clientId);
    const left = (await devices.listDevices(user.principalId)).map((row) => row.device_id);
    expect(left.toSorted()).toEqual([elsewhere.id, second.id].toSorted());
    await expect(devices.getDevice(first.id)).rejects.toMatchObject({ code: "not_found" });
  });

  test("is deleted, and told of to other processes", async () => {
    const user = await makeUser();
    const started = await loggedIn(user);
    const before = await execute("select last_change from identity.change_counter");
    await devices.deleteDevice(started.id);
    const after = await execute("select last_change from identity.change_counter");
    expect(Number(after[0]?.["last_change"])).toBe(Number(before[0]?.["last_change"]) + 1);
    await expect(devices.deleteDevice(started.id)).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("strangers", () => {
  test("begin no more than fifty at a time from one network", async () => {
    const from = (host: number) => devices.startDevice(randomUUID(), { address: `2001:db8:7:7::${host}` });
    for (let host = 1; host <= 50; host += 1) await from(host);
    await expect(from(51)).rejects.toMatchObject({ code: "too_many_requests" });
    await devices.startDevice(randomUUID(), { address: "2001:db8:7:8::1" });
    clock.at += 300_000;
    await from(52);
  });
});

describe("an open server", () => {
  test("lets a device in as its local administrator, who is nobody when logins are required later", async () => {
    const open = start(false);
    const started = await startDevice();
    expect(await open.pollDevice(started.clientId, started.deviceCode)).toMatchObject({
      outcome: "granted",
      principalUuid: "00000000-0000-0000-0000-000000000000",
      device: { principal_id: null },
    });
    const approved = await startDevice();
    await open.verifyDevice(approved.id, approved.userCode, { by: { principalId: 0 }, trusted: false });
    expect(await poll(approved)).toBe("denied");
  });
});
