import { isRecord } from "../plain-values.ts";
import type { Problem, Rule } from "../rule.ts";
import { DEFAULTS, isPlaceholder, isSecretSetting, settingName, TOKENS } from "../secret-values.ts";
import { codeLines, type TextLine } from "../text-lines.ts";
import { isUnresolved, type Manifest, type Workspace } from "../workspace.ts";

const REMEDY =
  "Keep it in a secret manager and write only a reference: an ExternalSecret, secretKeyRef, or a generated password. What was committed has to be changed, not only removed.";

export const defaultCredential: Rule = {
  id: "secret/default-credential",
  severity: "error",
  covers: ["E24"],
  title: "a password that a product comes with",
  why: "minioadmin, password1234 and their like are in every scanner's list, and in Git they stay for ever.",
  remedy: REMEDY,
  *check(workspace) {
    for (const { file, line, text } of codeLines(workspace)) {
      const found = DEFAULTS.exec(text)?.[0];
      if (found === undefined || /\b(?:image|repository|chart|path):/.test(text)) continue;
      yield { file, line, message: `${found} is a password that everybody knows` };
    }
  },
};

/** `key: value`, `key = "value"`, `KEY=value`. */
const ASSIGNMENT =
  /(?<key>["']?[A-Za-z_][\w.-]*["']?)\s*[:=]\s*(?<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;]+)/g;

/** `${KEY:-}` of the shell is none. */
const SHELL_ASSIGNMENT = /(?<![\w${-])(?<key>[A-Za-z_]\w*)=(?<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;)]+)/g;

export const literalSecret: Rule = {
  id: "secret/literal",
  severity: "error",
  covers: ["E24", "E19"],
  title: "a password, token or key written out",
  why: "Whoever can read the repository, the plan or the values of the release has it, and so has everyone who ever could.",
  remedy: REMEDY,
  *check(workspace) {
    const encrypted = encryptedFiles(workspace);
    let variable: string | undefined;
    let environment: string | undefined;
    for (const line of codeLines(workspace)) {
      if (encrypted.has(line.file)) continue;
      if (line.language === "hcl") {
        variable = /^\s*variable\s+"(?<name>[^"]+)"/.exec(line.text)?.groups?.["name"] ?? variable;
      }
      const before = environment;
      environment = /^\s*-?\s*["']?name["']?\s*[:=]\s*["']?(?<name>[A-Z][A-Z0-9_]+)["']?,?\s*$/.exec(
        line.text,
      )?.groups?.["name"];
      const key = literalKey(line, { variable, environment: before });
      if (key === undefined || DEFAULTS.test(line.text)) continue;
      yield { file: line.file, line: line.line, message: `The value of ${key} is written out here` };
    }
  },
};

/** Most lines hold none of these words: they are passed over before anything is taken apart. */
const MAY_HOLD_SECRET = /pass|pwd|secret|token|key|cred|auth|\bvalue\b|\bdefault\b/i;

type Named = { variable: string | undefined; environment: string | undefined };

/** The name of a setting of this line whose value is a secret. */
function literalKey(line: TextLine, { variable, environment }: Named): string | undefined {
  if (!MAY_HOLD_SECRET.test(line.text)) return undefined;
  const needsQuotes = ["hcl", "tfvars", "python", "json"].includes(line.language);
  const isShell = ["shell", "makefile", "dockerfile"].includes(line.language);
  for (const { groups } of line.text.matchAll(isShell ? SHELL_ASSIGNMENT : ASSIGNMENT)) {
    const { key = "", value: written = "" } = groups ?? {};
    const isQuoted = /^["']/.test(written);
    if (needsQuotes && !isQuoted) continue;
    const value = isQuoted ? written.slice(1, -1) : written;
    const plain = settingName(key);
    const name =
      plain === "default" && line.language === "hcl"
        ? variable
        : plain === "value" && environment !== undefined
          ? environment
          : key.replaceAll(/["']/g, "");
    // "password" as a password of a document is a place to fill in; in a file it is what will be set.
    if (line.excerpt && /^(?:pass(?:word|wd)?|secret|token|user(?:name)?)\d*$/i.test(value)) continue;
    // Within an address the part before the colon is a user.
    if (name !== undefined && !/:\/\//.test(value) && isSecretSetting(name, value)) return name;
  }
  return undefined;
}

/** Files of SOPS and sealed secrets hold what only the cluster can read. */
const encryptedFiles = (workspace: Workspace): Set<string> =>
  new Set(
    workspace.snippets
      .filter(({ text, excerpt }) => !excerpt && /^sops:|^kind: SealedSecret$|"sops":/m.test(text))
      .map(({ file }) => file),
  );

const ADDRESS =
  /\b(?<scheme>(?:postgres(?:ql)?|mysql|mariadb|mssql|mongodb|rediss?|amqps?|kafka|clickhouse|https?|ftps?|s3|smtps?|ldaps?)(?:\+[a-z0-9]+)?):\/\/(?<user>[^\s:@/"'`]*):(?<password>(?:\$\{[^}]*\}|\{\{[^}]*\}\}|[^\s@/"'`])+)@/g;

export const addressCredential: Rule = {
  id: "secret/in-address",
  severity: "error",
  covers: ["E24"],
  title: "an address with a password in it",
  why: "Addresses are shown where passwords are not: in logs, in errors, in `helm get values`, in the state of Terraform.",
  remedy:
    "Give the address without the password and the password by reference: passwordSecretRef of the ZenML chart, secretKeyRef for MLFLOW_BACKEND_STORE_URI.",
  *check(workspace) {
    for (const { file, line, text } of codeLines(workspace)) {
      for (const { groups } of text.matchAll(ADDRESS)) {
        const { scheme = "", password = "" } = groups ?? {};
        // What Terraform or the environment puts in is another rule's matter, or in its place: within a Secret.
        if (/^\$|^<|\{\{|^(?:\*+|x+|\.+|pass(?:word|wd)?|secret)$/i.test(password)) continue;
        yield { file, line, message: `A ${scheme} address with a password written out` };
      }
    }
  },
};

export const tokenLiteral: Rule = {
  id: "secret/token",
  severity: "error",
  covers: ["E24"],
  title: "something that has the form of a key or token",
  why: "The form is one that only real keys have.",
  remedy: REMEDY,
  *check(workspace) {
    for (const { file, line, text } of codeLines(workspace)) {
      const found = TOKENS.find(({ form }) => form.test(text));
      if (found !== undefined) yield { file, line, message: `This looks like ${found.of}` };
    }
  },
};

/** What a Secret for Argo CD says of a repository or cluster, besides its credentials. */
const NO_SECRET = new Set([
  "type",
  "url",
  "name",
  "project",
  "server",
  "namespaces",
  "enable_oci",
  "username",
  "host",
  "port",
  "database",
  "endpoint",
  "region",
  "bucket",
  "driver",
  "dbname",
  "user",
]);

export const secretManifest: Rule = {
  id: "secret/manifest",
  severity: "error",
  covers: ["E24"],
  title: "a Secret with its values in the file",
  why: "The data of a Secret is base64, which is not encryption: in Git everyone can read it.",
  remedy: "Commit an ExternalSecret, a SealedSecret or a file encrypted with SOPS instead.",
  *check(workspace) {
    const encrypted = encryptedFiles(workspace);
    for (const manifest of workspace.manifests) {
      if (manifest.kind !== "Secret" || manifest.apiVersion !== "v1" || encrypted.has(manifest.file))
        continue;
      yield* dataProblems(manifest);
    }
    for (const kustomization of workspace.kustomizations) {
      const generators = kustomization.value["secretGenerator"];
      for (const [index, generator] of (Array.isArray(generators) ? generators : []).entries()) {
        const literals =
          isRecord(generator) && Array.isArray(generator["literals"]) ? generator["literals"] : [];
        const [first] = literals;
        if (typeof first !== "string") continue;
        const message = `secretGenerator with literals: ${literals.map((one) => String(one).split("=")[0]).join(", ")}`;
        yield {
          file: kustomization.file,
          line: kustomization.lineOf(["secretGenerator", index, "literals"]),
          message,
        };
      }
    }
  },
};

function* dataProblems(manifest: Manifest): Iterable<Problem> {
  for (const part of ["data", "stringData"]) {
    const data = manifest.value[part];
    if (!isRecord(data) || isUnresolved(data)) continue;
    for (const [key, value] of Object.entries(data)) {
      if (typeof value !== "string" || isPlaceholder(value) || NO_SECRET.has(settingName(key))) continue;
      const message = `Secret ${manifest.name} has the value of ${key} in the file`;
      yield { file: manifest.file, line: manifest.lineOf([part, key]), message };
    }
  }
}

const SECRET_OPTION =
  /^--?(?:password|passwd|token|api-key|api_key|secret-key|access-token)(?:=(?<value>.*))?$/;

export const commandSecret: Rule = {
  id: "secret/in-command",
  severity: "warning",
  covers: ["E19"],
  title: "a command with a secret among its words",
  why: "The words of a command are in the history of the shell, in the list of processes, and, where an output prints the command, in the state and the log.",
  remedy: "Hand it over by an environment variable or a file, or let the command ask.",
  *check({ commands }) {
    for (const { file, line, words } of commands) {
      for (const [index, word] of words.entries()) {
        const option = SECRET_OPTION.exec(word);
        if (option === null) continue;
        const value = option.groups?.["value"] ?? words[index + 1] ?? "";
        // `$TOKEN` is the environment already; `--api-key` alone asks.
        const isTerraform = /^\$\{(?:[a-z_]\w*\.)/.test(value);
        if ((isPlaceholder(value) && !isTerraform) || value.startsWith("-")) continue;
        const name = word.split("=")[0] ?? word;
        const message = isTerraform
          ? `${name} gets a secret from Terraform: whoever reads the output or runs the command leaves it in clear`
          : `${name} has its value written out`;
        yield { file, line, message };
      }
    }
  },
};

export const secretRules: readonly Rule[] = [
  defaultCredential,
  literalSecret,
  addressCredential,
  tokenLiteral,
  secretManifest,
  commandSecret,
];
