import { nearest } from "../../schemas/nearest.ts";
import { zenmlCatalogue, zenmlCommands, type CliNode } from "../../schemas/client-tables.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Command, Workspace } from "../workspace.ts";
import { hasKubernetesSecret } from "../declared-names.ts";

/** A command as one release understands it: how deep it is known, and with which options it is called. */
type Call = {
  node: CliNode;
  path: string[];
  unknown: string | undefined;
  options: { name: string; value: string | undefined }[];
  arguments: string[];
};

const OPTION = /^--?[A-Za-z]/;

function callOf(root: CliNode, words: readonly string[]): Call {
  const call: Call = { node: root, path: [], unknown: undefined, options: [], arguments: [] };
  for (let index = 1; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (OPTION.test(word)) {
      const [name = "", ...rest] = word.split("=");
      const takesNext = rest.length === 0 && call.node.o?.includes(name) === true;
      if (takesNext) index += 1;
      call.options.push({
        name,
        value: rest.length > 0 ? rest.join("=") : takesNext ? words[index] : undefined,
      });
    } else if (call.node.c === undefined) {
      call.arguments.push(word);
    } else {
      const next = call.node.c[word];
      if (next === undefined) {
        call.unknown = word;
        return call;
      }
      call.node = next;
      call.path.push(word);
    }
  }
  return call;
}

const isZenml = ({ words }: Command): boolean => words[0] === "zenml" && words.length > 1;

/** A blank or a variable may stand for anything. */
const isOpen = (word: string): boolean => /^[<[$]|\{\{|^\.\.\.$/.test(word);

export const zenmlUnknown: Rule = {
  id: "command/zenml-unknown",
  severity: "error",
  covers: ["E05"],
  title: "a command or option that `zenml` does not have",
  why: "The client refuses unknown commands and options before it does anything. `zenml connect` takes no token; its successor is `zenml login`, and programs use the API key of a service account.",
  remedy: "Run the command with --help, or see the CLI reference of the release you install.",
  *check({ commands }) {
    const releases = Object.entries(zenmlCommands());
    for (const command of commands.filter(isZenml)) {
      const calls = releases.map(([version, root]) => ({ version, call: callOf(root, command.words) }));
      const complaints = calls.flatMap(({ version, call }) => {
        const complaint = complaintOf(call);
        return complaint === undefined ? [] : [{ version, complaint }];
      });
      const last = complaints.at(-1);
      if (last === undefined) continue;
      const { file, line } = command;
      const everywhere = complaints.length === releases.length;
      const message = everywhere
        ? last.complaint.message
        : `${last.complaint.message} in release ${last.version}, though another release has it`;
      yield {
        file,
        line,
        message,
        ...(last.complaint.remedy === undefined ? {} : { remedy: last.complaint.remedy }),
        ...(everywhere ? {} : { severity: "warning" as const }),
      };
    }
  },
};

function complaintOf(call: Call): Pick<Problem, "message" | "remedy"> | undefined {
  const called = ["zenml", ...call.path].join(" ");
  if (call.unknown !== undefined) {
    if (isOpen(call.unknown)) return undefined;
    const meant = nearest(call.unknown, Object.keys(call.node.c ?? {}));
    return {
      message: `\`${called}\` has no command \`${call.unknown}\``,
      ...(meant === undefined ? {} : { remedy: `Did you mean \`${called} ${meant}\`?` }),
    };
  }
  const known = [...(call.node.o ?? []), ...(call.node.f ?? []), "--help"];
  const wrong = call.options.find(({ name }) => !isKnownOption(name, known) && !(call.node.u === true));
  if (wrong === undefined) return undefined;
  const login = "Log in with `zenml login <URL> --api-key`, or set ZENML_STORE_URL and ZENML_STORE_API_KEY.";
  const meant = nearest(wrong.name, known);
  const remedy = ["connect", "login"].includes(call.path[0] ?? "")
    ? login
    : meant === undefined
      ? undefined
      : `Did you mean \`${meant}\`?`;
  return {
    message: `\`${called}\` has no option \`${wrong.name}\``,
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/** Short options may be written together with their value, or with one another: `-fNAME`, `-xn`. */
const isKnownOption = (name: string, known: readonly string[]): boolean =>
  known.includes(name) || (!name.startsWith("--") && known.includes(name.slice(0, 2)));

export const zenmlComponent: Rule = {
  id: "command/zenml-component",
  severity: "error",
  covers: ["E06"],
  title:
    "a stack component registered with settings that its flavor does not have, or without those it needs",
  why: "`zenml <component> register` hands unknown options to the flavor as its configuration; the flavor refuses keys it does not know and asks for those it requires.",
  remedy: "`zenml <component> flavor describe <flavor>` lists the keys.",
  *check(workspace) {
    const releases = Object.values(zenmlCommands());
    const newest = releases.at(-1);
    if (newest === undefined) return;
    for (const command of workspace.commands.filter(isZenml)) {
      const call = callOf(newest, command.words);
      if (call.path[1] !== "register" || call.node.u !== true) continue;
      const type = (call.path[0] ?? "").replaceAll("-", "_");
      const messages = componentComplaints({ workspace, call, type, words: command.words });
      for (const message of messages) {
        yield { file: command.file, line: command.line, message, remedy: registerRemedy(call.path[0] ?? "") };
      }
    }
  },
};

const registerRemedy = (component: string): string =>
  component === "artifact-store"
    ? `\`zenml artifact-store register NAME --flavor=s3 --path=s3://BUCKET --authentication_secret=<ZenML secret> --client_kwargs='{"endpoint_url": "https://..."}'\`, after \`zenml integration install s3\`.`
    : `\`zenml ${component} flavor describe <flavor>\` lists the keys.`;

type Registered = { workspace: Workspace; call: Call; type: string; words: readonly string[] };

function componentComplaints({ workspace, call, type, words }: Registered): string[] {
  const flavors = zenmlCatalogue().flavors[type];
  const given = call.options.find(({ name }) => name === "--flavor" || name === "-f")?.value;
  if (flavors === undefined || given === undefined || isOpen(given)) return [];
  const flavor = flavors[given];
  if (flavor === undefined) return flavorComplaint(given, type, Object.keys(flavors));
  const known = new Set([...(call.node.o ?? []), ...(call.node.f ?? []), "--help"]);
  const settings = call.options.filter(({ name }) => name.startsWith("--") && !known.has(name));
  const keys = settings.map(({ name }) => name.slice(2).replaceAll("-", "_"));
  const unknown = keys.filter((key) => !flavor.fields.includes(key));
  const missing = flavor.required.filter((key) => !keys.includes(key));
  const secret = settings.find(({ name }) => name === "--authentication_secret")?.value;
  return [
    ...(unknown.length === 0
      ? []
      : [
          `Flavor ${given} of ${type} has no setting ${unknown.join(", ")}: it has ${flavor.fields.join(", ")}`,
        ]),
    // What follows `...` or stands in a file is not to be seen.
    ...(missing.length === 0 || words.some(isOpenEnd)
      ? []
      : [`Flavor ${given} of ${type} needs ${missing.join(", ")}, which is not given`]),
    ...(secret !== undefined && hasKubernetesSecret(workspace, secret)
      ? [
          `authentication_secret names a secret in ZenML's own store; ${secret} is a Secret of Kubernetes, which ZenML does not read`,
        ]
      : []),
  ];
}

const isOpenEnd = (word: string): boolean => word === "..." || word.startsWith("@");

function flavorComplaint(given: string, type: string, flavors: readonly string[]): string[] {
  // Anyone can register a flavor of their own: only what is near to one of ZenML's is a mistake.
  const meant = given === "gcs" ? "gcp" : nearest(given, flavors);
  return meant === undefined ? [] : [`${type} has no flavor ${given}; it has ${meant}`];
}

export const zenmlCommandRules: readonly Rule[] = [zenmlUnknown, zenmlComponent];
