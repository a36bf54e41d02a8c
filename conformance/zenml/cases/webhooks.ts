import { createHmac } from "node:crypto";
import { entityScenario } from "../entity-cases.ts";
import { del, get, post, put, type Scenario, type Step } from "../requests.ts";
import { givenProject, missing } from "./given.ts";

const versions = ["0.98.0"] as const;
const scope = { project: "{project}", name: "startswith:{unique}" };
const secret = "what both know";
const hmac = (key: string, text: string): string => createHmac("sha256", key).update(text).digest("hex");

const webhooks = entityScenario({
  name: "webhooks",
  versions,
  path: "/webhooks",
  given: [givenProject()],
  seeds: {
    all: { project: "{project}", name: "{unique}-all", webhook_type: "github", active: false, secret },
    second: { project: "{project}", name: "{unique}-second", webhook_type: "custom", secret },
    third: { project: "{project}", name: "{unique}-third", webhook_type: "slack", active: true, secret },
  },
  required: ["project", "name", "webhook_type"],
  probed: ["name", "webhook_type", "active", "secret"],
  variants: {
    "of a type that is none": { webhook_type: "pigeon" },
    "of a type without letters": { webhook_type: "" },
    "for ClickUp": { webhook_type: "clickup" },
    "a long secret": { secret: "s".repeat(10_000) },
    "in another project": { project: "{other}" },
    "in a project that is not there": { project: missing },
  },
  updates: {
    renamed: { name: "{unique}-renamed" },
    "to a name that is taken": { name: "{unique}-second" },
    on: { active: true },
    "of another type": { webhook_type: "custom" },
    everything: { name: "{unique}-all", active: false },
  },
  probedUpdates: ["name", "active"],
  scope,
  orders: ["created", "name"],
  further: [
    put("another secret", "/webhooks/{second}/secret", { secret: "another" }),
    put("an empty secret", "/webhooks/{second}/secret", { secret: "" }),
    put("a secret that is a number", "/webhooks/{second}/secret", { secret: 7 }),
    put("a secret without a body", "/webhooks/{second}/secret"),
    put("the secret of what is not there", `/webhooks/${missing}/secret`, { secret: "x" }),
    put("the secret of what is no id", "/webhooks/no-id/secret", { secret: "x" }),
    get("inactive ones", "/webhooks", { ...scope, active: "false", sort_by: "asc:created" }),
    get("by type", "/webhooks", {
      ...scope,
      webhook_type: 'oneof:["custom","slack"]',
      name: "contains:econd",
    }),
    get("those of another project", "/webhooks", { project: "{other}" }),
  ],
});

/** Something that comes from outside, signed as its sender does; the signature is the only login. */
const event = (
  label: string,
  to: string,
  raw: string,
  sign: (body: string) => Readonly<Record<string, string>>,
): Step => ({ label, method: "POST", path: `/webhooks/${to}/events`, raw, sign });

const custom =
  (key: string, more: Record<string, string> = {}) =>
  (body: string) => ({
    "x-zenml-event": "deployed",
    "x-zenml-signature-256": `sha256=${hmac(key, body)}`,
    ...more,
  });
const github =
  (more: Record<string, string> = {}) =>
  (body: string) => ({
    "x-github-event": "push",
    "x-github-delivery": "d1",
    "x-hub-signature-256": `sha256=${hmac(secret, body)}`,
    ...more,
  });
const slack =
  (late = 0) =>
  (body: string) => {
    const sent = Math.floor(Date.now() / 1000) - late;
    return {
      "x-slack-request-timestamp": String(sent),
      "x-slack-signature": `v0=${hmac(secret, `v0:${sent}:${body}`)}`,
    };
  };
const clickup =
  (key = secret) =>
  (body: string) => ({ "x-signature": hmac(key, body) });

const given = (type: string, active = true): Step =>
  post(
    `given ${type}${active ? "" : ", off"}`,
    "/webhooks",
    {
      project: "{project}",
      name: `{unique}-${type}${active ? "" : "-off"}`,
      webhook_type: type,
      secret,
      active,
    },
    { [active ? type : `${type}_off`]: "id" },
  );
const stats = (label: string, name: string): Step => get(label, `/webhooks/{${name}}`);
const kept = (label: string, name: string, id: string): Step =>
  get(label, `/webhooks/{${name}}/events/raw`, { delivery_id: id });

const deliveries: Scenario = {
  name: "events of webhooks",
  versions,
  steps: [
    ...["custom", "github", "slack", "clickup"].map((type) => given(type)),
    given("custom", false),
    event("custom", "custom/{custom}", '{"a": 1.0, "b": "x"}', custom(secret, { "x-zenml-delivery": "d/1" })),
    event("custom, without an id", "custom/{custom}", "{}", custom(secret)),
    event(
      "the same delivery again",
      "custom/{custom}",
      '{"a": 2}',
      custom(secret, { "x-zenml-delivery": "d/1" }),
    ),
    event("wrongly signed", "custom/{custom}", "{}", custom("other")),
    event("signed without a scheme", "custom/{custom}", "{}", (body) => ({
      "x-zenml-event": "deployed",
      "x-zenml-signature-256": hmac(secret, body),
    })),
    event("signed in capitals", "custom/{custom}", "{}", (body) => ({
      "x-zenml-event": "deployed",
      "x-zenml-signature-256": `sha256=${hmac(secret, body).toUpperCase()}`,
    })),
    event("not signed", "custom/{custom}", "{}", () => ({ "x-zenml-event": "deployed" })),
    event("of no type", "custom/{custom}", "{}", (body) => ({
      "x-zenml-signature-256": `sha256=${hmac(secret, body)}`,
    })),
    event("a list", "custom/{custom}", "[1]", custom(secret)),
    event("no JSON", "custom/{custom}", "{", custom(secret)),
    event("nothing", "custom/{custom}", "", custom(secret)),
    stats("counted", "custom"),
    get("not counted in a list without metadata", "/webhooks", { ...scope, webhook_type: "custom" }),
    get("counted in a list with metadata", "/webhooks", {
      ...scope,
      webhook_type: "custom",
      hydrate: "true",
    }),
    kept("what came", "custom", "d/1"),
    kept("what did not come", "custom", "d/2"),
    kept("what came to nothing", "missing", "d/1"),
    get("what came, without an id", "/webhooks/{custom}/events/raw"),
    event("to one that is off", "custom/{custom_off}", "{}", custom(secret)),
    event("to one that is off, wrongly signed", "custom/{custom_off}", "{}", custom("other")),
    stats("one that is off counts nothing", "custom_off"),
    event("to what is not there", `custom/${missing}`, "{}", custom(secret)),
    event("to what is no id", "custom/no-id", "{}", custom(secret)),
    event("as another type", "github/{custom}", "{}", github()),
    event("as a type that is none", "pigeon/{custom}", "{}", custom(secret)),
    put("the secret changes", "/webhooks/{custom}/secret", { secret: "another" }),
    event("signed with the old secret", "custom/{custom}", "{}", custom(secret)),
    event("signed with the new secret", "custom/{custom}", "{}", custom("another")),
    stats("counted with both", "custom"),
    event("from GitHub", "github/{github}", '{"ref": "refs/heads/main"}', github()),
    event("from GitHub, of no type", "github/{github}", "{}", github({ "x-github-event": "" })),
    event(
      "from GitHub, a ping",
      "github/{github}",
      '{"zen": "x"}',
      github({ "x-github-event": "ping", "x-github-delivery": "d2" }),
    ),
    event(
      "from GitHub, wrongly signed",
      "github/{github}",
      "{}",
      github({ "x-hub-signature-256": "sha256=00" }),
    ),
    event("from GitHub, no JSON", "github/{github}", "{", github({ "x-github-delivery": "d3" })),
    stats("counted from GitHub", "github"),
    kept("what came from GitHub", "github", "d1"),
    kept("its ping", "github", "d2"),
    event(
      "from ClickUp",
      "clickup/{clickup}",
      '{"event":"taskCreated","webhook_id":"w","history_items":[{"id":"h"}]}',
      clickup(),
    ),
    event("from ClickUp, wrongly signed", "clickup/{clickup}", "{}", clickup("other")),
    event("from ClickUp, of no type", "clickup/{clickup}", '{"webhook_id":"w"}', clickup()),
    event("from ClickUp, of no webhook", "clickup/{clickup}", '{"event":"taskCreated"}', clickup()),
    stats("counted from ClickUp", "clickup"),
    event(
      "from Slack, asking who is there",
      "slack/{slack}",
      '{"type":"url_verification","challenge":"c"}',
      slack(),
    ),
    event("from Slack, asking nothing", "slack/{slack}", '{"type":"url_verification"}', slack()),
    event(
      "from Slack",
      "slack/{slack}",
      '{"type":"event_callback","event_id":"e","event":{"type":"message","text":"hi"}}',
      slack(),
    ),
    event(
      "from Slack, of no type",
      "slack/{slack}",
      '{"type":"event_callback","event_id":"e","event":{}}',
      slack(),
    ),
    event("from Slack, too late", "slack/{slack}", "{}", slack(301)),
    event(
      "from Slack, in time",
      "slack/{slack}",
      '{"type":"event_callback","event_id":"f","event":{"type":"m"}}',
      slack(200),
    ),
    event("from Slack, of another kind", "slack/{slack}", '{"type":"moon"}', slack()),
    event(
      "from Slack, too many",
      "slack/{slack}",
      '{"type":"app_rate_limited","team_id":"t","api_app_id":"a","minute_rate_limited":7}',
      slack(),
    ),
    event("from Slack, too many of nothing", "slack/{slack}", '{"type":"app_rate_limited"}', slack()),
    stats("counted from Slack", "slack"),
    kept("what came from Slack", "slack", "e"),
    del("deleted", "/webhooks/{slack}"),
    event("to one that was deleted", "slack/{slack}", "{}", slack()),
  ],
};

const trigger = { project: "{project}", type: "webhook", webhook_id: "{github}" };
const targets = (...list: readonly unknown[]): Readonly<Record<string, unknown>> => ({
  configuration: { target_events: list },
});
const waits = (label: string, webhook: string, configuration: unknown): Step =>
  post(label, "/triggers", {
    ...trigger,
    webhook_id: `{${webhook}}`,
    name: `{unique}-${label}`,
    configuration,
  });
const narrowed = (label: string, target: object, webhook = "github"): Step =>
  waits(label, webhook, { target_events: [target] });
const dynamic = (path: string, expression: unknown = "x"): object => ({
  type: "dynamic",
  event_type: "deployed",
  filters: { [path]: expression },
});

const webhookTriggers = entityScenario({
  name: "triggers by webhook",
  versions,
  path: "/triggers",
  given: [
    ...["custom", "github", "slack", "clickup"].map((type) => given(type)),
    givenProject(),
    post(
      "given a webhook elsewhere",
      "/webhooks",
      { project: "{other}", name: "{unique}-foreign", webhook_type: "custom", secret },
      { foreign: "id" },
    ),
  ],
  seeds: {
    all: {
      ...trigger,
      name: "{unique}-all",
      flavor: "webhook",
      active: false,
      concurrency: "submit",
      ...targets(
        { type: "push", repo: "a/b", branch: ["main", "startswith:release/"] },
        { type: "issue_opened" },
      ),
    },
    least: { ...trigger, webhook_id: "{custom}", name: "{unique}-least", configuration: {} },
  },
  required: ["project", "name", "webhook_id", "configuration"],
  probed: ["configuration", "webhook_id"],
  variants: {
    "of a webhook that is not there": { webhook_id: missing },
    "of a webhook of another project": { webhook_id: "{foreign}", configuration: {} },
    "with targets of another type": targets({ type: "taskCreated" }),
    "without targets": { configuration: {} },
    "with no targets": targets(),
    "with eleven targets": targets(...Array.from({ length: 11 }, () => ({ type: "push" }))),
    "with a target that is a text": targets("push"),
    "with a target without a type": targets({ repo: "a/b" }),
    "with a target of null": targets(null),
    "with more than targets": { configuration: { target_events: [{ type: "push" }], more: 1 } },
  },
  updateBase: {
    type: "webhook",
    name: "{unique}-all",
    active: true,
    concurrency: "skip",
    configuration: { target_events: [{ type: "push" }] },
  },
  updates: {
    "the same": {},
    "other targets": targets({ type: "release_published", tag: "startswith:v" }),
    "wrong targets": targets({ type: "push", tag: "x" }),
    "to no targets at all": { configuration: {} },
    "without saying whether it is on": { active: undefined },
    "of another webhook": { webhook_id: "{custom}" },
    "of another type": { type: "schedule", cron_expression: "0 3 * * *" },
  },
  probedUpdates: ["configuration", "active"],
  scope,
  orders: ["created"],
  deletion: { soft: "false" },
  further: [
    narrowed("by repo", { type: "merged_pull_request", repo: 'oneof:["a","b"]', author: "notequals:bot" }),
    narrowed("by nothing in a list", { type: "push", repo: [] }),
    narrowed("by an empty text", { type: "push", repo: "" }),
    narrowed("by a number", { type: "push", repo: 7 }),
    narrowed("by a long text", { type: "push", repo: "r".repeat(513) }),
    narrowed("by eleven", { type: "push", repo: Array.from({ length: 11 }, () => "a") }),
    narrowed("by an operator without a value", { type: "push", repo: "contains:" }),
    narrowed("by a list that is none", { type: "push", repo: "oneof:a" }),
    narrowed("by an operator that is none", { type: "push", repo: "near:a" }),
    narrowed("by an operator for numbers", { type: "push", repo: "gt:" }),
    narrowed("by what it has not", { type: "workflow_run_completed", repo: "a" }),
    narrowed("in ClickUp", { type: "taskStatusUpdated", status: "done", list_id: "7" }, "clickup"),
    narrowed("in ClickUp, by what it has not", { type: "listCreated", task_id: "7" }, "clickup"),
    narrowed("in Slack", { type: "message", channel_id: "C", threaded: true }, "slack"),
    narrowed("in Slack, by both", { type: "message", subtype: "a", include_subtypes: true }, "slack"),
    narrowed("in Slack, a reaction", { type: "reaction_added", reaction: "+1" }, "slack"),
    narrowed("anything", dynamic("a"), "custom"),
    narrowed("anything, without its kind", { event_type: ["a", "b"] }, "custom"),
    narrowed("anything, of no type", { type: "dynamic" }, "custom"),
    narrowed("anything of GitHub", dynamic('a.b[0]["c d"][*].e', ["x", "notcontains:y"])),
    ...[
      "",
      "a.",
      "0",
      "a[b]",
      "a[*][*]",
      "a.b.c.d.e.f.g.h",
      "a.b.c.d.e.f.g.h.i",
      '["a"].b',
      "[0]",
      "a[-1]",
      'a["b',
    ].map((path) => narrowed(`at ${JSON.stringify(path)}`, dynamic(path), "custom")),
    narrowed("at a path by a number", dynamic("a", 7), "custom"),
    narrowed("at a path by nothing", dynamic("a", null), "custom"),
    del("a webhook in use is deleted", "/webhooks/{custom}"),
    get("by webhook", "/triggers", { project: "{project}", webhook_id: "{slack}", sort_by: "asc:created" }),
    del("archived", "/triggers/{least}"),
    get("archived, it keeps its webhook", "/triggers/{least}"),
  ],
});

/** Addresses at which other services tell of what happened there, and what waits for it. */
export const webhookScenarios: readonly Scenario[] = [webhooks, deliveries, webhookTriggers];
