// The real client makes webhooks and works with the registry, on Plinth and on a real `mlflow server`; what both
// answer it, and what both send to a receiver, is the same.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runFlow, type Observations } from "../src/python.ts";
import { signatureOf, startReceiver, type Received, type Receiver } from "../src/receiver.ts";
import { startPlinth, startReference, type Target } from "../src/target.ts";

interface Played {
  readonly target: Target;
  readonly receiver: Receiver;
  readonly seen: Observations;
  readonly signed: readonly Received[];
  readonly plain: readonly Received[];
}

/** One test call, and what happened: three models, three versions, the rest once or twice. */
const toldOfAll = 1 + 3 + 3 + 1 + 2 + 1 + 2;

async function playOn(start: () => Promise<Target>): Promise<Played> {
  const target = await start();
  started.push(target);
  const receiver = await startReceiver();
  receivers.push(receiver);
  const seen = await runFlow({
    version: "3.17.2",
    script: "webhooks",
    url: target.url,
    args: [receiver.url],
  });
  const [signed, plain] = [await receiver.wait(toldOfAll, "/signed"), await receiver.wait(2, "/plain")];
  return { target, receiver, seen, signed, plain };
}

const started: Target[] = [];
const receivers: Receiver[] = [];
let plinth: Played;
let reference: Played;

beforeAll(async () => {
  [plinth, reference] = await Promise.all([playOn(startPlinth), playOn(startReference)]);
});

afterAll(async () => {
  const codes = await Promise.all(started.map(async (target) => ({ target, code: await target.stop() })));
  for (const receiver of receivers) await receiver.stop();
  expect(codes.find(({ target }) => target === plinth?.target)?.code).toBe(0);
});

/** Bodies in an order of their own: upstream sends with ten threads. */
function bodiesOf(requests: readonly Received[], { seen, receiver }: Played): unknown[] {
  const runId = String(seen["run_id"]);
  return requests
    .map(({ body }) => {
      const parsed = JSON.parse(body.replaceAll(runId, "<run>").replaceAll(receiver.url, "")) as {
        timestamp: string;
        workspace?: string;
      };
      expect(parsed.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
      // Upstream names the workspace only where workspaces are switched on.
      expect(parsed.workspace ?? "default").toBe("default");
      return { ...parsed, timestamp: "<now>", workspace: "default" };
    })
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

describe("webhooks", () => {
  it("are to the client what they are on a real server", () => {
    const { run_id: _ours, ...ours } = plinth.seen;
    const { run_id: _theirs, ...theirs } = reference.seen;
    expect(ours).toEqual(theirs);
    expect(ours["tested"]).toEqual({ success: true, status: 200, body: "noted" });
    expect(ours["failing"]).toMatchObject({ success: false, status: 404 });
  });

  it("are told the same, of the same", () => {
    const ours = bodiesOf(plinth.signed, plinth);
    expect(ours).toEqual(bodiesOf(reference.signed, reference));
    expect(bodiesOf(plinth.plain, plinth)).toEqual(bodiesOf(reference.plain, reference));
  });

  it("are told in the order in which it happened", () => {
    const events = plinth.signed.slice(1).map(({ body }) => {
      const { entity, action, data } = JSON.parse(body) as Record<string, unknown> & {
        data: { name: string };
      };
      return `${String(entity)}.${String(action)} ${data.name}`;
    });
    expect(events).toEqual([
      "registered_model.created hooked",
      "model_version.created hooked",
      "registered_model.created plainly",
      "model_version.created plainly",
      "model_version_tag.set hooked",
      "model_version_tag.deleted hooked",
      "model_version_tag.deleted hooked",
      "model_version_alias.created hooked",
      "model_version_alias.deleted hooked",
      "model_version_alias.deleted hooked",
      "registered_model.created copied",
      "model_version.created copied",
    ]);
  });

  it("are signed as the documentation says, where they have a secret", () => {
    for (const { signed, plain } of [plinth, reference]) {
      for (const request of signed) {
        expect(request.headers["x-mlflow-signature"]).toBe(signatureOf(request, "quiet"));
        expect(request.headers["content-type"]).toBe("application/json");
      }
      for (const request of plain) expect(request.headers).not.toHaveProperty("x-mlflow-signature");
      const ids = signed.map(({ headers }) => headers["x-mlflow-delivery-id"]);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it("that are disabled get nothing but a test call", () => {
    for (const { receiver } of [plinth, reference]) {
      expect(receiver.received.filter(({ path }) => path === "/off")).toHaveLength(1);
    }
  });
});
