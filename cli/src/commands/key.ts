import { apiKeys, s3Keys, shownApiKey, shownS3Key, type ApiKey, type S3Key } from "@plinth/contract";
import { openApi } from "../api-choice.ts";
import { pathOf, type ApiRequest } from "../api.ts";
import { readDuration, timeText } from "../duration.ts";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";

/** Makes an API key, or with --s3 a pair for S3's clients: one's own, or with --for that of somebody else. */
export async function createKey(call: Call): Promise<ExitCode> {
  const { output, options } = call;
  const body = { ...limitsOf(options), ...(options["s3"] === true ? {} : { name: nameOf(options) }) };
  if (options["s3"] === true && options["name"] !== undefined)
    Object.assign(body, { description: options["name"] });
  await using api = await openApi(call);
  const made = await api.request("POST", keysPath(options), { body });
  if (options["s3"] === true) {
    const key = shownS3Key.parse(made);
    output.answer(key, [
      "",
      `  export AWS_ACCESS_KEY_ID=${key.access_key_id}`,
      `  export AWS_SECRET_ACCESS_KEY=${key.secret_access_key}`,
      "",
      "The secret is shown this once.",
    ]);
  } else {
    const key = shownApiKey.parse(made);
    output.answer(key, keyLines(`Made the key ${key.name}, ${endOf(key)}.`, key.key));
  }
  return exitCodes.ok;
}

function limitsOf(options: Call["options"]): Record<string, unknown> {
  const { expires, maxPermission, workspaces, description } = options;
  return {
    ...(typeof expires === "string"
      ? { expires_at: Date.now() + readDuration(expires, "--expires") * 1000 }
      : {}),
    ...(typeof maxPermission === "string" ? { max_permission: maxPermission } : {}),
    ...(typeof workspaces === "string"
      ? {
          workspaces: workspaces
            .split(",")
            .map((name) => name.trim())
            .filter((name) => name !== ""),
        }
      : {}),
    ...(typeof description === "string" ? { description } : {}),
  };
}

const keyLines = (first: string, key: string): string[] => [
  first,
  "",
  `  export MLFLOW_TRACKING_TOKEN=${key}`,
  "",
  "It is shown this once. Plinth's own commands take it from PLINTH_API_KEY.",
];

export async function listKeys(call: Call): Promise<ExitCode> {
  const { output, options } = call;
  await using api = await openApi(call);
  const found = await api.request("GET", keysPath(options));
  const lines =
    options["s3"] === true
      ? s3Keys.parse(found).keys.map((key) => [key.access_key_id, ...columns(key)])
      : apiKeys.parse(found).keys.map((key) => [key.name, ...columns(key)]);
  output.answer(
    found,
    lines.length === 0
      ? ["There are no keys."]
      : table(["KEY", "STATE", "AT MOST", "WORKSPACES", "EXPIRES", "LAST USED"], lines),
  );
  return exitCodes.ok;
}

const columns = (key: ApiKey | S3Key): string[] => [
  key.active ? "active" : "inactive",
  key.max_permission ?? "-",
  key.workspaces?.join(",") ?? "all",
  timeText(key.expires_at),
  timeText(key.last_used_at),
];

const endOf = ({ expires_at: at }: ApiKey): string =>
  at === null ? "which does not expire" : `good until ${timeText(at)}`;

/** A new secret for the key; the old one goes on working for as long as --retain says. */
export async function rotateKey(call: Call): Promise<ExitCode> {
  const { output, options } = call;
  const retain = readDuration(String(options["retain"] ?? "0s"), "--retain");
  await using api = await openApi(call);
  const given: ApiRequest = { body: { retain_minutes: Math.ceil(retain / 60) } };
  const key = shownApiKey.parse(await api.request("POST", keyPath(options, "rotate"), given));
  const until = key.previous_until;
  const old = until === null ? "the old secret is refused" : `the old secret works until ${timeText(until)}`;
  output.answer(key, keyLines(`Rotated the key ${key.name}; ${old}.`, key.key));
  return exitCodes.ok;
}

export async function revokeKey(call: Call): Promise<ExitCode> {
  await using api = await openApi(call);
  await api.request("DELETE", keyPath(call.options));
  const name = nameOf(call.options);
  call.output.answer({ revoked: name }, [`The key ${name} is refused from now on.`]);
  return exitCodes.ok;
}

function nameOf({ name }: Call["options"]): string {
  if (typeof name === "string") return name;
  throw new CommandFailure("Give the key a name: plinth key create NAME", exitCodes.wrongCall);
}

const ownerParts = ({ for: owner }: Call["options"]): string[] =>
  typeof owner === "string" ? ["principals", owner] : ["me"];

const collectionOf = ({ s3 }: Call["options"]): string => (s3 === true ? "s3-keys" : "keys");

const keysPath = (options: Call["options"]): string => pathOf(...ownerParts(options), collectionOf(options));

const keyPath = (options: Call["options"], ...more: string[]): string =>
  pathOf(...ownerParts(options), collectionOf(options), nameOf(options), ...more);
