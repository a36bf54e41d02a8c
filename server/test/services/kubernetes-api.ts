import { basicOf, startService, type Service } from "./service.ts";

type Known = { token?: string; username?: string; password?: string; takesCertificates?: true };

/** An API server that tells its version to everybody, and what it has to those it knows. */
export const startKubernetesApi = (known: Known, options: { tls?: true } = {}): Promise<Service> =>
  startService(({ url, headers, hasCertificate }) => {
    const { authorization } = headers;
    const isKnown =
      (known.token !== undefined && authorization === `Bearer ${known.token}`) ||
      (known.username !== undefined && authorization === basicOf(known.username, known.password ?? "")) ||
      (known.takesCertificates === true && hasCertificate);
    if (authorization?.startsWith("Bearer ") === true && !isKnown) return refusal(401, "Unauthorized");
    if (url.pathname === "/version") return { body: { major: "1", minor: "33" } };
    if (url.pathname !== "/api") return refusal(404, "not found");
    return isKnown
      ? { body: { kind: "APIVersions", versions: ["v1"] } }
      : refusal(403, 'forbidden: User "system:anonymous" cannot get path "/api"');
  }, options);

const refusal = (status: number, message: string): { status: number; body: object } => ({
  status,
  body: { kind: "Status", status: "Failure", message, code: status },
});
