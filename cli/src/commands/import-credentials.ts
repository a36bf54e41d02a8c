import { readFileSync } from "node:fs";
import { CommandFailure, exitCodes } from "../failure.ts";

type Credentials = {
  username?: string | undefined;
  password?: string | undefined;
  token?: string | undefined;
  certificateAuthority?: string | undefined;
  clientCertificate?: string | undefined;
  insecureTls?: boolean | undefined;
};

/** What MLflow's own clients take from the environment to reach their server. */
export function readServerCredentials(environment: NodeJS.ProcessEnv): Credentials {
  const file = (name: string): string | undefined => {
    const path = environment[name];
    if (path === undefined || path === "") return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new CommandFailure(`${name}: ${path} cannot be read (${String(error)}).`, exitCodes.wrongCall);
    }
  };
  return {
    username: environment["MLFLOW_TRACKING_USERNAME"],
    password: environment["MLFLOW_TRACKING_PASSWORD"],
    token: environment["MLFLOW_TRACKING_TOKEN"],
    certificateAuthority: file("MLFLOW_TRACKING_SERVER_CERT_PATH"),
    clientCertificate: file("MLFLOW_TRACKING_CLIENT_CERT_PATH"),
    insecureTls: environment["MLFLOW_TRACKING_INSECURE_TLS"]?.toLowerCase() === "true",
  };
}
