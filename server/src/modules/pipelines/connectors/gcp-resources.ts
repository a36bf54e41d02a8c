import { invalidParameter } from "../../../kernel/errors.ts";

/** How resources of Google Cloud are called. Throw `invalid_parameter` for what is no such name. */

const BUCKET = "[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]";
const bucketForm = new RegExp(`^(?:gs://(${BUCKET})(?:/.*)?|(${BUCKET}))$`);

export function idOfBucket(given: string): string {
  const [, inUri, plain] = bucketForm.exec(given) ?? [];
  const name = inUri ?? plain;
  if (name !== undefined) return name;
  throw invalidParameter(
    `Invalid resource ID for an GCS bucket: ${given}. Supported formats are: gs://<bucket-name>, <bucket-name>`,
  );
}

export function idOfCluster(given: string): string {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(given)) return given;
  throw invalidParameter(`Invalid resource ID for a GKE cluster: ${given}. Supported is: <cluster-name>`);
}

/** `name` is what the artifact registry calls it; registries of the time before have none. */
export type Repository = { readonly uri: string; readonly name: string | undefined };

export function idOfRepository(given: string, project: string): Repository {
  const uri = /^(?:https:\/\/)?([a-z0-9-]+)-docker\.pkg\.dev\/([a-z0-9-]+)\/([a-z0-9.-]+)(?:\/.+)?$/.exec(
    given,
  );
  const name = /^projects\/([a-z0-9-]+)\/locations\/([a-z0-9-]+)\/repositories\/([a-z0-9.-]+)$/.exec(given);
  const [owner, location, repository] = uri ? [uri[2], uri[1], uri[3]] : name ? name.slice(1) : [];
  if (owner === undefined) {
    const older = /^(?:https:\/\/)?((?:(?:us|eu|asia)\.)?gcr\.io\/[a-z0-9-]+)(?:\/.+)?$/.exec(given)?.[1];
    if (older !== undefined) return { uri: older, name: undefined };
    throw invalidParameter(
      `Invalid resource ID for a Google Artifact Registry: ${given}. Supported formats are: ` +
        "[https://]<region>-docker.pkg.dev/<project-id>/<registry-id>[/<repository-name>], " +
        "projects/<project-id>/locations/<location>/repositories/<repository-id>, " +
        "[https://][us.|eu.|asia.]gcr.io/<project-id>[/<repository-name>]",
    );
  }
  if (owner !== project) {
    throw invalidParameter(
      `The GCP project of ${given} ('${owner}') does not match the project configured in the connector: '${project}'.`,
    );
  }
  return {
    uri: `${location}-docker.pkg.dev/${owner}/${repository}`,
    name: `projects/${owner}/locations/${location}/repositories/${repository}`,
  };
}

/** Registries of the time before the artifact registry: there for every project, as far as anybody can tell. */
export const olderRegistries = (project: string): string[] =>
  ["", "us.", "eu.", "asia."].map((place) => `${place}gcr.io/${project}`);
