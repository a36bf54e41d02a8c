import { invalidParameter } from "../../../kernel/errors.ts";
import { textsOf } from "./configuration.ts";
import { optionalText, textOf, type OpenDriver } from "./connector.ts";

const keyTypes: Readonly<Record<string, readonly string[]>> = {
  "rsa-key": ["ssh-rsa"],
  "dsa-key": ["ssh-dss"],
  "ecdsa-key": ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
  "ed25519-key": ["ssh-ed25519"],
};

/** Machines reached by SSH: each is good where it lets the key log in. */
export const openHyperai: OpenDriver = ({ configuration, method }, { ssh }) => {
  const hosts = textsOf(configuration["hostnames"]);
  const requireHost = (id: string): void => {
    if (hosts.includes(id)) return;
    throw invalidParameter(
      `The supplied hostname '${id}' is not in the list of configured hostnames: ${hosts.join(", ")}`,
    );
  };
  return {
    async verify(_type, id) {
      if (id !== undefined) requireHost(id);
      const asked = id === undefined ? hosts : [id];
      await ssh({
        hosts: asked,
        username: textOf(configuration, "username"),
        privateKey: Buffer.from(textOf(configuration, "base64_ssh_key"), "base64").toString("utf8"),
        passphrase: optionalText(configuration, "ssh_passphrase"),
        keyTypes: keyTypes[method.auth_method] ?? [],
      });
      return asked;
    },
  };
};
