import type { OutboundTls } from "../../../kernel/outbound/outbound.ts";
import {
  AuthorizationFailure,
  isTrue,
  optionalText,
  textOf,
  type Configuration,
  type OpenDriver,
} from "./connector.ts";
import { basic, reason, textIn } from "./http.ts";

/**
 * The API server of a cluster. Its version may be there for everybody; what of the API there is, only for those it
 * knows: both are asked for.
 */
export const openKubernetes: OpenDriver = ({ configuration }, { http }) => {
  const name = textOf(configuration, "cluster_name");
  const server = textOf(configuration, "server").replace(/\/+$/, "");

  const ask = async (path: string): Promise<void> => {
    const answer = await http({
      url: server + path,
      headers: { accept: "application/json", ...authorizationOf(configuration) },
      tls: tlsOf(configuration),
    });
    if (answer.status === 200) return;
    const said = reason(textIn(answer.json(), "message")) || "no reason is given";
    throw new AuthorizationFailure(
      `failed to verify Kubernetes cluster access: ${path} answers ${answer.status}: ${said}`,
    );
  };

  return {
    defaultId: () => name,
    async verify(_type, id) {
      await ask("/version");
      await ask("/api");
      return id === undefined ? [] : [id];
    },
  };
};

function authorizationOf(configuration: Configuration): Record<string, string> {
  const token = optionalText(configuration, "token");
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  const username = optionalText(configuration, "username");
  if (username === undefined) return {};
  return { authorization: basic(username, textOf(configuration, "password")) };
}

function tlsOf(configuration: Configuration): OutboundTls {
  const ca = decoded(configuration, "certificate_authority");
  const cert = decoded(configuration, "client_certificate");
  const key = decoded(configuration, "client_key");
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    insecure: isTrue(configuration["insecure"]),
  };
}

/** Base64 of either alphabet. */
function decoded(configuration: Configuration, name: string): string | undefined {
  const text = optionalText(configuration, name);
  return text === undefined ? undefined : Buffer.from(text, "base64").toString("utf8");
}
