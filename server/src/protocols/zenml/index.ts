import type { FastifyInstance } from "fastify";
import type { Identity } from "../../modules/identity/index.ts";
import { deviceEndpoints } from "./devices.ts";
import { registerZenmlEndpoints } from "./endpoint.ts";
import { loginEndpoints } from "./login.ts";
import { serverInfoEndpoints } from "./server-info.ts";
import { serviceAccountEndpoints } from "./service-accounts.ts";
import { userEndpoints } from "./users.ts";

export type ZenmlOptions = {
  identity: Identity;
  /** Milliseconds since 1970. */
  now(): number;
  loginRequired: boolean;
};

/** ZenML's REST API below `/api/v1`: as yet who is who, and how its clients log in. */
export async function registerZenml(
  app: FastifyInstance,
  { identity, now, loginRequired }: ZenmlOptions,
): Promise<void> {
  const { tokens, principals } = identity;
  const endpoints = [
    ...serverInfoEndpoints({ tokens, principals, loginRequired }),
    ...loginEndpoints({ identity, now }),
    ...deviceEndpoints(identity),
    ...userEndpoints(identity),
    ...serviceAccountEndpoints(identity),
  ];
  await registerZenmlEndpoints(app, endpoints);
}

export const isZenmlUrl = (url: string): boolean => url.startsWith("/api/v1/");
