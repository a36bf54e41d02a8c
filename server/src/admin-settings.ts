import { text, type Setting } from "./setting-kinds.ts";

/** The administrator that a first start makes, where nobody can be asked: in a container. */
export const adminSettings = {
  adminPassword: {
    ...text({
      flag: "admin-password",
      description:
        "Password of the administrator that a start makes when there is none; ignored when there is one. No flag: what stands on a command line can be read by others",
      placeholder: "password",
      secret: true,
    }),
    onlyVariable: true,
  },
  adminPasswordFile: text({
    flag: "admin-password-file",
    description: "File with that password instead",
    placeholder: "file",
  }),
  adminName: {
    flag: "admin-name",
    description: "Name of that administrator",
    placeholder: "name",
    default: () => "admin",
    parse: (value: string) => {
      if (value.trim() === value && value !== "" && value.length <= 255) return value;
      throw new Error("must be 1 to 255 characters without blanks around them");
    },
  } satisfies Setting<string>,
} as const;

/** Variables of the commands that talk to a server; servers leave them alone. */
export const clientVariables: Readonly<Record<string, string>> = {
  PLINTH_SERVER: "Address of the server that commands talk to, where `--server` names none",
  PLINTH_API_KEY: "Key that they log in with, instead of what `plinth login` stored",
  PLINTH_API_KEY_FILE: "File with that key",
};
