import { clientVariables, environmentName, settings, settingNames, type Setting } from "./server-door.ts";

/** The page docs/guides/configuration.md; `scripts/write-guides.ts` writes it, a test compares it. */
export function configurationGuide(): string {
  const rows = settingNames.map((name) => {
    const setting: Setting<unknown> = settings[name];
    const flag =
      setting.onlyVariable === true
        ? "none"
        : `\`--${setting.flag}${setting.placeholder === undefined ? "" : ` <${setting.placeholder}>`}\``;
    const standard = setting.defaultText ?? `\`${String(setting.default({}))}\``;
    const meaning = setting.secret ? `${setting.description}. Secret: never printed` : setting.description;
    return [flag, `\`${environmentName(setting.flag)}\``, standard, meaning];
  });
  const forCommands = Object.entries(clientVariables).map(([name, meaning]) => [`\`${name}\``, meaning]);
  return [
    INTRODUCTION,
    `${markdownTable(["Flag", "Variable", "Default", "Meaning"], rows)}\n`,
    CLIENT_VARIABLES,
    `${markdownTable(["Variable", "Meaning"], forCommands)}\n`,
  ].join("\n");
}

const INTRODUCTION = `# Configuration

<!-- Written by scripts/write-guides.ts from server/src/settings.ts. Change it there. -->

Every setting is a flag of \`plinth up\` and \`plinth server\`, and an environment variable. A flag wins over its variable, which
wins over the default; an empty variable counts as not set. There is no configuration file.

- \`plinth config\` prints the effective value of every setting and where it comes from; secrets are hidden.
- An unknown flag, an unknown \`PLINTH_*\` variable or a bad value is an error that names the nearest good one. Nothing starts.
- Settings that would have no effect (an S3 key with the blob store \`disk\`) are errors too.
- Give secrets as variables: flags can be read by every user of the machine in its list of processes.
- On an address other than loopback everybody must log in, so Plinth starts there only when there is an administrator (\`plinth
  user create NAME --admin\`, or \`PLINTH_ADMIN_PASSWORD\`), or with \`--insecure\`: see [identity](identity.md#the-first-start).

What clients read is theirs, and Plinth leaves it alone: \`MLFLOW_TRACKING_URI\`, \`AWS_*\` (the credentials of the blob store when
no keys are given here).
`;

const CLIENT_VARIABLES = `## Variables of commands

Read by \`plinth user\`, \`plinth status\` and the others that talk to a server:
`;

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
