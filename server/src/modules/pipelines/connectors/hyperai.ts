import { textsOf } from "./configuration.ts";
import { AuthorizationFailure, type OpenDriver } from "./connector.ts";

/**
 * Machines reached by SSH, which this server does not speak: their keys are used where the steps run. What can be
 * asked of the configuration alone is answered; that a key is good is not claimed.
 */
export const openHyperai: OpenDriver = ({ configuration }) => {
  const hosts = textsOf(configuration["hostnames"]);
  const requireHost = (id: string): void => {
    if (hosts.includes(id)) return;
    throw new AuthorizationFailure(`'${id}' is not in the list of configured hostnames`);
  };
  return {
    isUnverifiable: true,
    verify(_type, id) {
      if (id !== undefined) requireHost(id);
      throw new AuthorizationFailure(
        "connections by SSH are not verified by this server: register the connector without verification",
      );
    },
    async client(_type, id) {
      requireHost(id);
      return undefined;
    },
  };
};
