import { loginAccess } from "../../kernel/access.ts";
import { notImplemented } from "../../kernel/errors.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";

const ONE = "/resource_requests/:resource_request_id";

/** Pools of resources are part of ZenML's paid service alone: its own open server answers the same. */
export const resourceRequestEndpoints = (): ZenmlEndpoint[] =>
  (
    [
      ["GET", "/resource_requests"],
      ["GET", ONE],
      ["POST", `${ONE}/renew`],
      ["POST", `${ONE}/release`],
    ] as const
  ).map(([method, path]) =>
    endpoint({
      method,
      path,
      access: loginAccess,
      handle() {
        throw notImplemented("Resource pool functionality is not enabled");
      },
    }),
  );
