import { get, patch, post, postRaw, remove, type Scenario, type Step } from "../scenario.ts";

// An address that nothing is sent to: only what is made of it is compared. A name would have to be resolved.
const url = "https://8.8.8.8/hook";

const event = (entity: unknown, action: unknown) => ({ entity, action });
const created = [event("REGISTERED_MODEL", "CREATED")];
const whole = { name: "hook", url, events: created };

type Fields = Readonly<Record<string, unknown>>;

const create = (label: string, fields: Fields = {}): Step => post(label, "webhooks", { ...whole, ...fields });

const given = (as = "hook", fields: Fields = {}): Step =>
  post(`given webhook ${as}`, "webhooks", { ...whole, ...fields }, { [as]: "webhook.webhook_id" });

const change = (label: string, fields: Fields, id = "{hook}"): Step => patch(label, `webhooks/${id}`, fields);

const test = (label: string, fields: Fields, id = "{hook}"): Step =>
  post(label, `webhooks/${id}/test`, fields);

const pairs = [
  event("REGISTERED_MODEL", "CREATED"),
  event("MODEL_VERSION", "CREATED"),
  event("MODEL_VERSION_TAG", "SET"),
  event("MODEL_VERSION_TAG", "DELETED"),
  event("MODEL_VERSION_ALIAS", "CREATED"),
  event("MODEL_VERSION_ALIAS", "DELETED"),
  event("PROMPT", "CREATED"),
  event("PROMPT_VERSION", "CREATED"),
  event("PROMPT_TAG", "SET"),
  event("PROMPT_TAG", "DELETED"),
  event("PROMPT_VERSION_TAG", "SET"),
  event("PROMPT_VERSION_TAG", "DELETED"),
  event("PROMPT_ALIAS", "CREATED"),
  event("PROMPT_ALIAS", "DELETED"),
  event("BUDGET_POLICY", "EXCEEDED"),
];

const impossible = [
  event("REGISTERED_MODEL", "SET"),
  event("REGISTERED_MODEL", "UPDATED"),
  event("MODEL_VERSION", "DELETED"),
  event("MODEL_VERSION_TAG", "CREATED"),
  event("MODEL_VERSION_ALIAS", "SET"),
  event("PROMPT", "UPDATED"),
  event("BUDGET_POLICY", "CREATED"),
];

export const unreadableEvents: readonly (readonly [string, unknown])[] = [
  ["an empty event", {}],
  ["an event without an action", { entity: "REGISTERED_MODEL" }],
  ["an event without an entity", { action: "CREATED" }],
  ["an unknown entity", event("NOBODY", "CREATED")],
  ["an unknown action", event("REGISTERED_MODEL", "SLEPT")],
  ["an event in lower case", event("registered_model", "created")],
  ["an unspecified entity", event("ENTITY_UNSPECIFIED", "CREATED")],
  ["an unspecified action", event("REGISTERED_MODEL", "ACTION_UNSPECIFIED")],
];

export const webhooks: readonly Scenario[] = [
  {
    name: "webhooks: create",
    steps: [
      create("the least it needs"),
      create("everything", { description: "d", secret: "quiet", status: "DISABLED", events: pairs }),
      create("active", { status: "ACTIVE" }),
      create("a status as a number", { status: 2 }),
      create("an unknown status", { status: "SLEEPING" }),
      create("an unknown status as a number", { status: 3 }),
      create("status 0", { status: 0 }),
      create("an unknown field", { colour: "red" }),
      create("an empty description", { description: "" }),
      create("a description of 1001 characters", { description: "d".repeat(1001) }),
      create("an empty secret", { secret: "" }),
      create("a secret of 1001 characters", { secret: "s".repeat(1001) }),
      create("a description as a number", { description: 5 }),
      create("a secret as a number", { secret: 5 }),
      postRaw("a list", "webhooks", "[]"),
      post("nothing", "webhooks", {}),
    ],
  },
  {
    name: "webhooks: names",
    steps: [
      ...["a", "9", "A.b_c-d", "n".repeat(63)].map((name) => create(`'${name}'`, { name })),
      ...["n".repeat(64), "-a", "a-", "a b", "é", "a\n", "a/b", "a'b", 'a"b'].map((name) =>
        create(`not ${JSON.stringify(name)}`, { name }),
      ),
      create("empty", { name: "" }),
      create("none", { name: undefined }),
      create("null", { name: null }),
      create("a number", { name: 5 }),
      create("twice the same"),
    ],
  },
  {
    name: "webhooks: addresses",
    steps: [
      create("in capitals", { url: "HTTPS://8.8.8.8/x" }),
      create("with a port, a query and a fragment", { url: "https://8.8.8.8:8443/a/b?c=d#e" }),
      create("of 600 characters", { url: `https://8.8.8.8/${"x".repeat(584)}` }),
      create("public in IPv6", { url: "https://[2606:4700:4700::1111]/" }),
      create("empty", { url: "" }),
      create("blank", { url: " " }),
      create("none", { url: undefined }),
      create("a number", { url: 5 }),
      create("no scheme", { url: "nothing" }),
      create("ftp", { url: "ftp://8.8.8.8/" }),
      create("file", { url: "file:///etc/passwd" }),
      create("javascript", { url: "javascript:alert(1)" }),
      create("no host", { url: "https://" }),
      create("no host but a path", { url: "https:///x" }),
      create("one slash", { url: "https:/8.8.8.8/x" }),
      create("half an IPv6 address", { url: "https://[::1" }),
      create("a user and a password", { url: "https://user:word@8.8.8.8/" }),
      create("a port beyond all", { url: "https://8.8.8.8:99999/" }),
      create("a blank in the path", { url: "https://8.8.8.8/a b" }),
    ],
  },
  {
    name: "webhooks: events",
    steps: [
      ...pairs.map((one) => create(`${String(one.entity)} ${String(one.action)}`, { events: [one] })),
      ...impossible.map((one) =>
        create(`never ${String(one.entity)} ${String(one.action)}`, { events: [one] }),
      ),
      ...unreadableEvents.map(([label, one]) => create(label, { events: [one] })),
      create("as numbers", { events: [event(2, 1)] }),
      create("a number beyond all", { events: [event(99, 1)] }),
      create("the same twice", { events: [...created, ...created] }),
      create("no events", { events: [] }),
      create("none", { events: undefined }),
      create("null", { events: null }),
      create("a text", { events: "REGISTERED_MODEL" }),
      create("texts", { events: ["registered_model.created"] }),
      create("the event before the name", { name: "-", events: [event("PROMPT", "SET")] }),
    ],
  },
  {
    name: "webhooks: read, change, delete",
    steps: [
      given(),
      given("second", { description: "d", secret: "quiet", events: pairs.slice(0, 2) }),
      get("one", "webhooks/{hook}"),
      get("one under ajax-api", "/ajax-api/2.0/mlflow/webhooks/{hook}"),
      get("one nobody made", "webhooks/nobody"),
      change("nothing", {}),
      change("a name", { name: "other" }),
      change("an empty name", { name: "" }),
      change("a bad name", { name: "-" }),
      change("a name as a number", { name: 5 }),
      change("an address", { url: "https://8.8.8.8/other" }),
      change("an empty address", { url: "" }),
      change("a bad address", { url: "ftp://8.8.8.8/" }),
      change("events", { events: [event("PROMPT", "CREATED"), event("MODEL_VERSION", "CREATED")] }),
      change("no events", { events: [] }),
      change("events that never happen", { events: impossible.slice(0, 1) }),
      change("events that never happen, of nobody", { events: impossible.slice(0, 1) }, "nobody"),
      change("a description", { description: "text" }),
      change("an empty description", { description: "" }),
      change("a secret", { secret: "quiet" }),
      change("an empty secret", { secret: "" }),
      change("a status", { status: "DISABLED" }),
      change("an unknown status", { status: "SLEEPING" }),
      change("another id in the body", { webhook_id: "nobody" }),
      change("nobody's name", { name: "x" }, "nobody"),
      change("nobody's bad name", { name: "-" }, "nobody"),
      get("the other is as it was", "webhooks/{second}"),
      remove("delete", "webhooks/{hook}", undefined),
      remove("delete again", "webhooks/{hook}", undefined),
      get("the deleted one", "webhooks/{hook}"),
      change("the deleted one's name", { name: "x" }),
      test("the deleted one tested", {}),
      remove("delete with a body", "webhooks/{second}", {}),
      remove("delete nobody's", "webhooks/nobody", undefined),
    ],
  },
  {
    name: "webhooks: list",
    steps: [
      given("a", { name: "a" }),
      given("b", { name: "b" }),
      given("c", { name: "c" }),
      get("two", "webhooks", { max_results: "2" }, { token: "next_page_token" }),
      get("max_results 1", "webhooks", { max_results: "1" }),
      get("max_results -1", "webhooks", { max_results: "-1" }),
      get("max_results 1001", "webhooks", { max_results: "1001" }),
      get("max_results as a word", "webhooks", { max_results: "two" }),
      get("max_results as a fraction", "webhooks", { max_results: "1.5" }),
      get("a token that is none", "webhooks", { page_token: "zzz" }),
    ],
  },
  {
    name: "webhooks: test calls",
    steps: [
      given(),
      test("nobody's", {}, "nobody"),
      test("an event that never happens", { event: impossible[0] }),
      test("an event that never happens, of nobody", { event: impossible[0] }, "nobody"),
      ...unreadableEvents.map(([label, one]) => test(label, { event: one })),
      test("a number for an event", { event: 5 }),
      test("a list for an event", { event: created }),
      given("closed", { url: "http://127.0.0.1:9/" }),
      test("nobody listens", {}, "{closed}"),
    ],
  },
];
