import { device, devices, type Device } from "@plinth/contract";
import { openApi } from "../api-choice.ts";
import { pathOf } from "../api.ts";
import { timeText } from "../duration.ts";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";
import { ask, canAsk } from "../prompt.ts";

export async function listDevices(call: Call): Promise<ExitCode> {
  await using api = await openApi(call);
  const found = devices.parse(await api.request("GET", pathOf("me", "devices")));
  const rows = found.devices.map((one) => [
    one.device_id,
    one.status,
    one.hostname ?? "-",
    one.address ?? "-",
    timeText(one.expires_at),
  ]);
  call.output.answer(
    found,
    rows.length === 0
      ? ["No device is logged in as you."]
      : table(["DEVICE", "STATUS", "HOST", "ADDRESS", "UNTIL"], rows),
  );
  return exitCodes.ok;
}

/** Lets in, as oneself, the command line that shows this code. */
export async function approveDevice(call: Call): Promise<ExitCode> {
  const { output, options } = call;
  const body = { user_code: String(options["code"]), trusted: options["trusted"] === true };
  await using api = await openApi(call);
  const waiting = device.parse(await api.request("POST", pathOf("me", "devices", "find"), { body }));
  if (options["yes"] !== true) {
    if (!canAsk()) {
      throw new CommandFailure(
        `${describe(waiting)} asks to be let in. Give --yes to do so.`,
        exitCodes.wrongCall,
      );
    }
    const answer = await ask(`Let in ${describe(waiting)}, as you, to do whatever you may? [y/N] `);
    if (!/^y(es)?$/i.test(answer)) throw new CommandFailure("It was not let in.", exitCodes.no);
  }
  const let_in = device.parse(await api.request("POST", pathOf("me", "devices"), { body }));
  output.answer(let_in, [`Let in ${describe(let_in)}.`]);
  return exitCodes.ok;
}

const describe = ({ hostname, os, address }: Device): string =>
  `${hostname ?? "a device"}${os === null ? "" : ` (${os})`} at ${address ?? "an unknown address"}`;

export async function revokeDevice(call: Call): Promise<ExitCode> {
  const id = String(call.options["device"]);
  await using api = await openApi(call);
  await api.request("DELETE", pathOf("me", "devices", id));
  call.output.answer({ revoked: id }, [`The device ${id} is refused from now on.`]);
  return exitCodes.ok;
}

/** A locked device is refused until it is unlocked, and may not log in anew meanwhile. */
export async function lockDevice(call: Call, locked: boolean): Promise<ExitCode> {
  const id = String(call.options["device"]);
  await using api = await openApi(call);
  const changed = device.parse(await api.request("PATCH", pathOf("me", "devices", id), { body: { locked } }));
  call.output.answer(changed, [
    `The device ${id} is ${locked ? "refused until you unlock it" : "let in again"}.`,
  ]);
  return exitCodes.ok;
}
