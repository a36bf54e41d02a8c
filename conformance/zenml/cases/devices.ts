import { del, get, put, sweepOf, type Scenario, type Step } from "../requests.ts";
import { as, login } from "./accounts.ts";

const missing = "7d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c11";
const form = { "content-type": "application/x-www-form-urlencoded" };

const ask = (label: string, fields: string, save = {}): Step => ({
  label,
  method: "POST",
  path: "/device_authorization",
  raw: fields,
  headers: form,
  ...save,
});

/** What a command line is told that asks to be let in; its id is in the address that a person opens. */
const asked = {
  save: { device_code: "device_code", user_code: "user_code" },
  find: { device: /device_id=([\w-]{36})/ },
};
const grant = "grant_type=urn:ietf:params:oauth:grant-type:device_code";
const poll = (label: string, save = {}): Step =>
  login(label, `${grant}&client_id=${client}&device_code={device_code}`, save);
const client = "5a7a8a5e-6a58-4d0a-9a3c-0c4e1f1d2b3c";

/** Command lines that wait until a person lets them in. */
export const deviceScenarios: readonly Scenario[] = [
  {
    name: "devices",
    steps: [
      ask("asked to be let in", `client_id=${client}`, asked),
      ask("without an id", ""),
      ask("with an id that is none", "client_id=me"),
      poll("not yet"),
      get("it is listed nowhere", "/devices", { client_id: client }),
      get("read with its code", "/devices/{device}", { user_code: "{user_code}" }),
      get("read with another code", "/devices/{device}", { user_code: "wrong" }),
      get("read without one", "/devices/{device}"),
      put("let in with a wrong code", "/devices/{device}/verify", { user_code: "wrong" }),
      put("let in without a code", "/devices/{device}/verify", {}),
      put("nothing is let in", `/devices/${missing}/verify`, { user_code: "{user_code}" }),
      ask("asked once more", `client_id=${client}`, asked),
      put("let in", "/devices/{device}/verify", { user_code: "{user_code}", trusted_device: true }),
      put("let in twice", "/devices/{device}/verify", { user_code: "{user_code}" }),
      poll("in", { token: "access_token" }),
      poll("in twice"),
      login("without its code", `${grant}&client_id=${client}`),
      login("with another code", `${grant}&client_id=${client}&device_code=no`),
      login("as another one", `${grant}&client_id=${missing}&device_code={device_code}`),
      as("token", get("who it is", "/current-user")),
      get("listed", "/devices", { client_id: client }),
      get("listed with metadata", "/devices", { client_id: client, hydrate: "true" }),
      sweepOf("/devices", { scope: { client_id: client } }),
      get("read", "/devices/{device}"),
      get("read without metadata", "/devices/{device}", { hydrate: "false" }),
      get("what is not there", `/devices/${missing}`),
      get("what is no id", "/devices/no-id"),
      put("locked", "/devices/{device}", { locked: true }),
      as("token", get("it is refused", "/current-user")),
      put("unlocked", "/devices/{device}", { locked: false }),
      as("token", get("it is heard again", "/current-user")),
      put("nothing is changed", "/devices/{device}", {}),
      put("a lock that is none", "/devices/{device}", { locked: "perhaps" }),
      put("what is not there is locked", `/devices/${missing}`, { locked: true }),
      del("deleted", "/devices/{device}"),
      as("token", get("it is nothing", "/current-user")),
      del("deleted twice", "/devices/{device}"),
      del("deleted by what is no id", "/devices/no-id"),
      get("read after that", "/devices/{device}"),
    ],
  },
];
