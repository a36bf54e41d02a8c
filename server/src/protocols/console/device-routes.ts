import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { loginAccess } from "../../kernel/access.ts";
import { invalidParameter, PlinthError } from "../../kernel/errors.ts";
import type { Identity } from "../../modules/identity/index.ts";
import { formToken, readForm, type Note } from "./form.ts";
import { devicePage, donePage } from "./login-page.ts";
import { attempt, beside, personOf } from "./page-requests.ts";
import { sendPage } from "./page.ts";

const config = { access: loginAccess, protocol: "console" };

/** Where command lines send a person, as ZenML's clients do: `/devices/verify?device_id=...&user_code=...`. */
export function registerDevices(app: FastifyInstance, { devices }: Pick<Identity, "devices">): void {
  const show = async (
    request: FastifyRequest,
    reply: FastifyReply,
    shown: { device: string; code: string; note?: Note },
  ): Promise<FastifyReply> =>
    sendPage(
      reply,
      devicePage({
        token: formToken(request, reply),
        beside: beside(request, reply, request.caller),
        device: shown.device,
        code: shown.code,
        about: shown.device === "" ? [] : await aboutOf(shown.device),
        note: shown.note,
      }),
    );

  const aboutOf = async (deviceId: string): Promise<string[]> => {
    try {
      const { hostname, os, address, client_version } = await devices.getDevice(deviceId);
      return [hostname, os, address, client_version].filter((text) => text !== null);
    } catch (error) {
      if (error instanceof PlinthError && error.code === "not_found") return [];
      throw error;
    }
  };

  app.get("/devices/verify", { config }, (request, reply) => {
    mayLetIn(request);
    const { device_id: device, user_code: code } = request.query as Record<string, unknown>;
    return show(request, reply, { device: textOf(device), code: textOf(code) });
  });

  app.post("/devices/verify", { config }, async (request, reply) => {
    const form = readForm(request);
    const by = mayLetIn(request);
    const device = form.text("device_id");
    const code = form.text("user_code");
    const tried = await attempt(reply, async () => {
      const id = device === "" ? (await devices.findPendingDevice(code))?.device_id : device;
      if (id === undefined) throw invalidParameter("No device waits with that code: enter the one it shows.");
      return devices.verifyDevice(id, code, { by, trusted: form.has("trusted") });
    });
    if ("note" in tried) return show(request, reply, { device, code, ...tried });
    return sendPage(
      reply,
      donePage("The device is in", "You can close this page: the command line goes on by itself.", {
        url: "/plinth/account",
        label: "Look at your account",
      }),
    );
  });
}

/** Also the local administrator of an open server, whom nobody asks for a password. */
const mayLetIn = (request: FastifyRequest): { principalId: number } =>
  request.caller.credential.kind === "local" ? { principalId: 0 } : personOf(request);

const textOf = (value: unknown): string => (typeof value === "string" ? value.slice(0, 64) : "");
