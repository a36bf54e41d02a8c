// Terraform, with stand-ins of the providers of ZenML and of REST in general, on files that a guide shows.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ensurePrograms } from "../infra/tools.ts";
import { startChild } from "../src/process.ts";

const root = join(import.meta.dirname, "..", "..");
const guide = readFileSync(join(root, "docs", "guides", "stacks-as-code.md"), "utf8");

export interface Done {
  readonly code: number | string;
  readonly output: string;
}

/** What Terraform said, without the breaks and the frame that it puts into long lines. */
export const spoken = ({ output }: Done): string => output.replaceAll(/[│\s]+/g, " ");

export interface Workshop {
  /** Writes files into a new folder, and has Terraform fetch the providers. */
  open(name: string, files: Readonly<Record<string, string>>): Promise<Folder>;
  /** The same with the files of one of the guide's folders. */
  openGuide(name: string): Promise<Folder>;
  dispose(): void;
}

export interface Folder {
  readonly path: string;
  /** Runs Terraform as `env` says, which names server, key and variables. */
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Done>;
  /** `apply`, which has to work. Answers what Terraform counted: `3 added, 1 changed, 0 destroyed`. */
  apply(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string>;
  /** Whether a plan is empty: 0, there is something to change: 2, or it did not work: 1. */
  plan(env: NodeJS.ProcessEnv, ...args: string[]): Promise<number | string>;
  output(name: string): Promise<string>;
  state(): string;
}

/** Files of the guide's folders by their path: each block of HCL begins with it. */
export function filesOfGuide(folder: string): Record<string, string> {
  const blocks = [...guide.matchAll(/^```hcl\n# (?<path>\S+)\n(?<text>.*?)^```/gms)];
  const own = blocks.filter(({ groups }) => groups?.["path"]?.startsWith(`${folder}/`));
  return Object.fromEntries(
    own.map(({ groups }) => [groups?.["path"]?.slice(folder.length + 1), groups?.["text"] ?? ""]),
  );
}

export const foldersOfGuide = (): string[] => [
  ...new Set([...guide.matchAll(/^```hcl\n# ([^/\s]+)\//gm)].map(([, folder]) => folder ?? "")),
];

/** What is between the fences of one language, in order. */
export const blocksOfGuide = (language: string): string[] =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, text]) => text ?? "");

const providers = [
  { place: "zenml-io/zenml/3.0.6", name: "terraform-provider-zenml", version: "3.0.6" },
  { place: "mastercard/restapi/3.0.0", name: "terraform-provider-restapi", version: "3.0.0" },
];

export async function openWorkshop(): Promise<Workshop> {
  const built = await ensurePrograms("stacks");
  const work = mkdtempSync(join(tmpdir(), "plinth-terraform-"));
  const platform = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;
  for (const { place, name, version } of providers) {
    const target = join(work, "mirror", "registry.terraform.io", place, platform);
    mkdirSync(target, { recursive: true });
    copyFileSync(join(built, name), join(target, `${name}_v${version}`));
  }
  const mirror = `filesystem_mirror {\n    path = ${JSON.stringify(join(work, "mirror"))}\n  }`;
  const settings = join(work, "terraform.rc");
  writeFileSync(settings, `disable_checkpoint = true\nprovider_installation {\n  ${mirror}\n}\n`);

  const open = async (name: string, files: Readonly<Record<string, string>>): Promise<Folder> => {
    const path = join(work, "roots", name);
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), text);
    }
    const folder = folderAt(path, settings, work);
    const done = await folder.run(["init", "-input=false"]);
    if (done.code !== 0)
      throw new Error(`terraform init in ${name} ended with ${done.code}:\n${done.output}`);
    return folder;
  };
  return {
    open,
    openGuide: (name) => open(name, filesOfGuide(name)),
    dispose: () => rmSync(work, { recursive: true, force: true }),
  };
}

function folderAt(path: string, settings: string, home: string): Folder {
  const run = async (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Done> => {
    const child = startChild("terraform", args, {
      cwd: path,
      env: {
        HOME: home,
        TF_CLI_CONFIG_FILE: settings,
        TF_IN_AUTOMATION: "1",
        TF_CLI_ARGS: "-no-color",
        PLINTH_TERRAFORM_SCHEMAS: join(root, "infra", "data", "terraform"),
        ...env,
      },
    });
    return { code: await child.ended, output: child.output() };
  };
  return {
    path,
    run,
    async apply(env, ...args) {
      const done = await run(["apply", "-auto-approve", "-input=false", ...args], env);
      const [, counts] = /^(?:Apply|Destroy) complete! Resources: (.*)\.$/m.exec(done.output) ?? [];
      if (done.code !== 0 || counts === undefined)
        throw new Error(`terraform apply ended with ${done.code}:\n${done.output}`);
      return counts;
    },
    async plan(env, ...args) {
      const done = await run(["plan", "-detailed-exitcode", "-input=false", ...args], env);
      if (done.code === 1) throw new Error(`terraform plan did not work:\n${done.output}`);
      return done.code;
    },
    async output(name) {
      return (await run(["output", "-raw", name])).output;
    },
    state: () => readFileSync(join(path, "terraform.tfstate"), "utf8"),
  };
}

/** Runs shell lines in which `plinth` is this Plinth's command line, on the machine and as the user that runs it. */
export async function plinthLines(lines: string, dataDir: string): Promise<string> {
  const node = join(root, "node_modules", ".bin", "node");
  const main = join(root, "cli", "src", "main.ts");
  const script = `set -e\nplinth() { ${node} ${main} "$@" --data-dir ${dataDir}; }\n${lines}`;
  const child = startChild("bash", ["-c", script], { cwd: root });
  const code = await child.ended;
  if (code !== 0) throw new Error(`${lines}\nended with ${code}:\n${child.output()}`);
  return child.output();
}

/** The key that `plinth key create` shows. */
export const keyIn = (output: string): string => /plinth_[0-9a-f]+_[0-9a-f]+/.exec(output)?.[0] ?? "";

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly status: number;
}

export interface Recorder {
  readonly url: string;
  /** What went through since the last call. */
  take(): Sent[];
  stop(): Promise<void>;
}

/** Stands between Terraform and the server, and writes down what is sent. */
export async function startRecorder(target: string): Promise<Recorder> {
  let sent: Sent[] = [];
  const to = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.once("end", () => {
      const body = Buffer.concat(chunks);
      const { method = "", url: path = "" } = incoming;
      const headers = { ...incoming.headers, host: to.host };
      const options = { agent: false, hostname: to.hostname, port: to.port, method, path, headers };
      const passed = request(options, (answer) => {
        sent.push({ method, path, body: body.toString("utf8"), status: answer.statusCode ?? 0 });
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      passed.once("error", () => incoming.socket.destroy());
      passed.end(body);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take() {
      const taken = sent;
      sent = [];
      return taken;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** A caller of the API with a key. */
export const callerOf =
  (url: string, key: string) =>
  async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; json: ReturnType<typeof JSON.parse> }> => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: await answer.json() };
  };
