import { invalidParameter } from "../../../kernel/errors.ts";

/** How resources of Azure are called. Throws `invalid_parameter` for what is no such name. */
export function azureResources(group: string | undefined): {
  canonicalId(resourceType: string, id: string): string;
} {
  return {
    canonicalId(resourceType, id) {
      if (resourceType === "blob-container") return `az://${idOfContainer(id)}`;
      if (resourceType === "docker-registry") return `${idOfRegistry(id)}.azurecr.io`;
      return resourceType === "kubernetes-cluster" ? idOfCluster(id, group) : id;
    },
  };
}

const CONTAINER = "[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]";
const containerForm = new RegExp(`^(?:(?:az|abfs)://(${CONTAINER})(?:/.*)?|(${CONTAINER}))$`);

function idOfContainer(given: string): string {
  const [, inUri, plain] = containerForm.exec(given) ?? [];
  const name = inUri ?? plain;
  if (name !== undefined) return name;
  throw invalidParameter(
    `Invalid resource ID for an Azure blob storage container: ${given}. Supported formats are: ` +
      "{az|abfs}://<container-name>, <container-name>",
  );
}

function idOfRegistry(given: string): string {
  const name = /^(?:(?:https?:\/\/)?([a-zA-Z0-9]+)\.azurecr\.io(?:\/.+)?|([a-zA-Z0-9]+))$/.exec(given);
  const found = name?.[1] ?? name?.[2];
  if (found !== undefined) return found;
  throw invalidParameter(
    `Invalid resource ID for a ACR registry: ${given}. Supported formats are: ` +
      "[https://]{registry-name}.azurecr.io, {registry-name}",
  );
}

function idOfCluster(given: string, group: string | undefined): string {
  const [, inGroup, name] = /^(?:([\w.()-]+)\/)?([a-zA-Z0-9][\w-]*[a-zA-Z0-9])$/.exec(given) ?? [];
  if (name === undefined) {
    throw invalidParameter(
      `Invalid resource ID for a AKS cluster: ${given}. Supported formats are: {resource-group}/{cluster-name}, ` +
        "{cluster-name}",
    );
  }
  if (group !== undefined && inGroup !== undefined && inGroup !== group) {
    throw invalidParameter(
      `Invalid resource ID for an AKS cluster: ${given}. The resource group does not match the one configured in the ` +
        `connector: '${group}'.`,
    );
  }
  const where = inGroup ?? group;
  return where === undefined ? name : `${where}/${name}`;
}
