import { invalidParameter } from "../../kernel/errors.ts";
import type { Endpoint } from "./endpoint.ts";
import { empty, emptyForAll, refused, unknown, type Name } from "./genai-none.ts";
import { int64, message, string, type Check } from "./wire.ts";

const GATEWAY = "/3.0/mlflow/gateway";
const SERVERS = "/3.0/mlflow/mcp-servers";
const ASSISTANT = "/3.0/mlflow/assistant";

const positive: Check = (value) => {
  if (value === undefined || Number(value) > 0) return;
  throw invalidParameter(
    `Invalid value ${String(value).slice(0, 100)} for parameter 'max_results' supplied. It must be a positive integer`,
  );
};

/** The AI gateway, the registry of MCP servers and the assistant: MLflow's UI asks whether there is anything. */
export function noGatewayEndpoints(): Endpoint[] {
  return [
    ...["GET", "POST"].map((method) =>
      empty(`${method as "GET" | "POST"} /2.0/mlflow/gateway-proxy`, "gateway", {
        answer: { endpoints: [] },
      }),
    ),
    empty(`GET ${GATEWAY}/secrets/config`, "gateway", {
      answer: { secrets_available: false, using_default_passphrase: false },
    }),
    empty(`GET ${GATEWAY}/supported-providers`, "gateway", { answer: { providers: [] } }),
    empty(`GET ${GATEWAY}/supported-models`, "gateway", { answer: { models: [] } }),
    ...lists.map((path) => empty(`GET ${GATEWAY}/${path}`, "gateway")),
    ...creations.map(([path, ...needs]) =>
      refused(`POST ${GATEWAY}/${path}`, "gateway", { what: "endpoints of an AI gateway", needs }),
    ),
    ...ofOne.flatMap(([word, id, ...calls]) =>
      unknown(
        calls.map((call) => call.replace(" ", ` ${GATEWAY}/`) as Name),
        "gateway",
        (field) => `${word} not found (${id}='${field(id)}')`,
      ),
    ),
    ...unknown(
      [`GET ${GATEWAY}/provider-config`],
      "gateway",
      (id) => `Provider '${id("provider")}' not found`,
    ),
    empty(`GET ${SERVERS}`, "gateway", {
      answer: { mcp_servers: [], next_page_token: null },
      request: message({ max_results: int64, page_token: string, filter_string: string }),
      checks: { max_results: ["int", positive] },
    }),
    empty(`GET ${SERVERS}/endpoints`, "gateway", { answer: { access_endpoints: [], next_page_token: null } }),
    refused(`POST ${SERVERS}`, "gateway", { what: "MCP servers", needs: ["name"] }),
    refused(`POST ${SERVERS}/*`, "gateway", { what: "MCP servers" }),
    ...unknown(
      [`GET ${SERVERS}/*`, `PATCH ${SERVERS}/*`, `DELETE ${SERVERS}/*`],
      "gateway",
      (id) => `MCP server '${id("*")}' not found`,
    ),
    empty(`GET ${ASSISTANT}/config`, "gateway", {
      answer: { providers: {}, projects: {}, remote_access_allowed: false },
    }),
    empty(`GET ${ASSISTANT}/providers`, "gateway", { answer: { providers: [] } }),
    ...(["GET", "POST", "PUT", "PATCH"] as const).map((method) =>
      refused(`${method} ${ASSISTANT}/*`, "gateway", { what: "an assistant" }),
    ),
    emptyForAll("GET /3.0/mlflow/ui-telemetry", {
      disable_ui_telemetry: true,
      disable_ui_events: [],
      ui_rollout_percentage: 0,
    }),
    emptyForAll("POST /3.0/mlflow/ui-telemetry", { status: "disabled" }),
  ];
}

const lists = [
  "secrets/list",
  "endpoints/list",
  "endpoints/bindings/list",
  "model-definitions/list",
  "budgets/list",
  "budgets/windows",
  "guardrails/list",
] as const;

/** Each with the fields that it needs. */
const creations: readonly (readonly [path: string, ...needs: string[]])[] = [
  ["secrets/create", "secret_name", "secret_value"],
  ["endpoints/create", "name"],
  ["endpoints/models/attach", "endpoint_id"],
  ["endpoints/bindings/create", "endpoint_id"],
  ["model-definitions/create", "name"],
  ["budgets/create"],
  ["guardrails/create", "name"],
  ["guardrails/add-to-endpoint", "endpoint_id", "guardrail_id"],
];

const ofOne: readonly (readonly [word: string, id: string, ...calls: string[]])[] = [
  ["GatewaySecret", "secret_id", "GET secrets/get", "POST secrets/update", "DELETE secrets/delete"],
  [
    "GatewayEndpoint",
    "endpoint_id",
    "GET endpoints/get",
    "POST endpoints/update",
    "DELETE endpoints/delete",
    "POST endpoints/models/detach",
    "DELETE endpoints/bindings/delete",
    "POST endpoints/set-tag",
    "DELETE endpoints/delete-tag",
    "GET guardrails/list-for-endpoint",
  ],
  [
    "GatewayModelDefinition",
    "model_definition_id",
    "GET model-definitions/get",
    "POST model-definitions/update",
    "DELETE model-definitions/delete",
  ],
  ["BudgetPolicy", "budget_policy_id", "GET budgets/get", "POST budgets/update", "DELETE budgets/delete"],
  [
    "Guardrail",
    "guardrail_id",
    "GET guardrails/get",
    "DELETE guardrails/delete",
    "DELETE guardrails/remove-from-endpoint",
    "PATCH guardrails/update-config",
  ],
];
