import type { Outbound } from "../../../kernel/outbound/outbound.ts";
import { selectRow } from "../records.ts";
import type { SecretReader } from "../secrets.ts";
import { components, type ComponentRow } from "../stack-tables.ts";
import { publicPlaces } from "../connectors/connector.ts";
import { createAzureAccess } from "./azure-access.ts";
import { openAzureStore } from "./azure.ts";
import { createConnectorCredentials, type ConnectorCredentialsDeps } from "./connector-credentials.ts";
import { credentialsOf, textOf, type CredentialsDeps } from "./credentials.ts";
import { createGcsTokens } from "./gcs-tokens.ts";
import { openGcsStore } from "./gcs.ts";
import { parseStorePath } from "./location.ts";
import { s3OptionsOf, speaksS3 } from "./s3-options.ts";
import { openS3Store } from "./s3.ts";
import { StoreError, type ArtifactStore } from "./store.ts";

export type ArtifactStores = {
  /**
   * The store that a component is, for whoever asks: secrets of others are not used. Throws a `StoreError`, of kind
   * `outside` where the component is no artifact store or is not there.
   */
  open(componentId: string, reader: SecretReader): Promise<ArtifactStore>;
};

export type ArtifactStoresDeps = CredentialsDeps & ConnectorCredentialsDeps & { outbound: Outbound };

export function createArtifactStores(deps: ArtifactStoresDeps): ArtifactStores {
  const connectorOf = createConnectorCredentials(deps);
  const tokenOf = createGcsTokens(deps);
  const azureAccessOf = createAzureAccess(deps);

  const openComponent = async (component: ComponentRow, reader: SecretReader): Promise<ArtifactStore> => {
    const { name, flavor_name: flavor } = component;
    const credentials = await credentialsOf(deps, component, reader);
    const path = parseStorePath(textOf(credentials.configuration["path"]) ?? "");
    const isS3 = speaksS3(flavor) && path.scheme === "s3";
    const isAzure = flavor === "azure" && (path.scheme === "az" || path.scheme === "abfs");
    if (!isS3 && !isAzure && !(flavor === "gcp" && path.scheme === "gs")) {
      throw new StoreError(
        "unsupported",
        `Artifact store '${name}' of flavor '${flavor}' cannot be read by the server, which reads those of S3, ` +
          "Google Cloud and Azure. Clients read it as before.",
      );
    }
    const connector = await connectorOf(component, path);
    const { outbound, clock } = deps;
    if (isS3) return openS3Store(s3OptionsOf(credentials, connector, { name, flavor, path, outbound }));
    if (isAzure) {
      const access = await azureAccessOf({ name, path }, { connector, secret: credentials.secret });
      return openAzureStore({ name, path, outbound, clock, access });
    }
    const token = await tokenOf(name, { connector, secret: credentials.secret });
    return openGcsStore({ name, path, outbound, token, storage: publicPlaces.google.storage });
  };

  return {
    async open(componentId, reader) {
      const component = await selectRow(deps.database, components, componentId);
      if (component === undefined) {
        throw new StoreError("outside", `Artifact store '${componentId}' does not exist.`);
      }
      if (component.type !== "artifact_store") {
        throw new StoreError("outside", `Stack component '${componentId}' is not an artifact store.`);
      }
      return openComponent(component, reader);
    },
  };
}
