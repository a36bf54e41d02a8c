// A real Kubernetes API server with etcd behind it, and of the controllers those without which nothing can be applied. No node, so
// no pod runs; schemas, field validation, RBAC and admission are real. Data and keys are thrown away at the end.
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startChild, waitFor, type Child } from "../src/process.ts";
import { customResourceDefinitions } from "./crds.ts";
import { ensurePrograms } from "./tools.ts";

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
    readonly generation?: number;
  };
  readonly [field: string]: unknown;
}

/** Nothing else writes to what is applied, so that a second apply can be seen to change nothing. */
const controllers = [
  "namespace-controller",
  "serviceaccount-controller",
  "root-ca-certificate-publisher-controller",
  "garbage-collector-controller",
  "clusterrole-aggregation-controller",
];

export class ApiServer {
  readonly #folder = mkdtempSync(join(tmpdir(), "plinth-kubernetes-"));
  readonly #children: Child[] = [];
  #programs = "";
  #clusterKinds: Set<string> | undefined;

  /** Started, with the custom resources named as in `Certificate.cert-manager.io`; stopped again when any part of it fails. */
  static async start(kinds: ReadonlySet<string>): Promise<ApiServer> {
    const programs = await ensurePrograms("kubernetes");
    const server = new ApiServer();
    server.#programs = programs;
    try {
      await server.#start();
      await server.#defineCustomResources(kinds);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const folder = this.#folder;
    const [client, peer, secure, metrics] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const store = `http://127.0.0.1:${client}`;
    this.#run("etcd", [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${store}`,
      `--advertise-client-urls=${store}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      // Nothing is to survive.
      "--unsafe-no-fsync",
    ]);
    const key = join(folder, "service-accounts.key");
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(key, privateKey.export({ type: "pkcs8", format: "pem" }));
    const token = randomBytes(24).toString("hex");
    const tokens = join(folder, "tokens.csv");
    writeFileSync(tokens, `${token},admin,admin,system:masters\n`);
    const address = `https://127.0.0.1:${secure}`;
    const api = this.#run("kube-apiserver", [
      `--etcd-servers=${store}`,
      `--cert-dir=${join(folder, "certificates")}`,
      `--secure-port=${secure}`,
      "--bind-address=127.0.0.1",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      "--authorization-mode=RBAC",
      // As clusters have it: what is privileged is for admission to refuse.
      "--allow-privileged=true",
      // Its finalizers wait for a controller that writes to what was applied.
      "--disable-admission-plugins=StorageObjectInUseProtection",
      `--token-auth-file=${tokens}`,
      "--service-cluster-ip-range=10.96.0.0/16",
    ]);
    writeFileSync(this.#kubeconfig, kubeconfig(address, token));
    await waitFor(api, "kube-apiserver", async () =>
      this.kubectl(["get", "--raw", "/readyz"]).code === 0 ? true : undefined,
    );
    this.#run("kube-controller-manager", [
      `--kubeconfig=${this.#kubeconfig}`,
      `--service-account-private-key-file=${key}`,
      `--controllers=${controllers.join(",")}`,
      "--leader-elect=false",
      `--secure-port=${metrics}`,
      "--bind-address=127.0.0.1",
      `--cert-dir=${join(folder, "controller-certificates")}`,
    ]);
    const namespace = ["get", "serviceaccount", "default", "--namespace", "default"];
    await waitFor(api, "the controllers", async () =>
      this.kubectl(namespace).code === 0 ? true : undefined,
    );
  }

  async #defineCustomResources(kinds: ReadonlySet<string>): Promise<void> {
    const items = customResourceDefinitions(kinds);
    if (items.length === 0) return;
    this.#must(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const established = '{range .items[*].status.conditions[?(@.type=="Established")]}{.status}{"\\n"}{end}';
    const args = ["get", "crd", "-o", `jsonpath=${established}`];
    await waitFor(this.#api, "the custom resources", async () => {
      const count = this.kubectl(args)
        .stdout.split("\n")
        .filter((status) => status === "True").length;
      return count === items.length ? true : undefined;
    });
  }

  get #api(): Child {
    const [, api] = this.#children;
    if (api === undefined) throw new Error("the API server was not started");
    return api;
  }

  get #kubeconfig(): string {
    return join(this.#folder, "kubeconfig");
  }

  #run(program: string, args: readonly string[]): Child {
    const child = startChild(join(this.#programs, program), args, { cwd: this.#folder });
    this.#children.push(child);
    return child;
  }

  /** Environment in which any client finds this server, and writes nowhere else. */
  get env(): NodeJS.ProcessEnv {
    return {
      PATH: `${this.#programs}:${process.env["PATH"] ?? ""}`,
      HOME: this.#folder,
      KUBECONFIG: this.#kubeconfig,
    };
  }

  kubectl(args: readonly string[], input?: string): Answer {
    const done = spawnSync(join(this.#programs, "kubectl"), args, {
      env: this.env,
      encoding: "utf8",
      maxBuffer: 256 << 20,
      ...(input === undefined ? {} : { input }),
    });
    if (done.error) throw done.error;
    return { code: done.status ?? -1, stdout: done.stdout, stderr: done.stderr };
  }

  #must(args: readonly string[], input?: string): string {
    const answer = this.kubectl(args, input);
    if (answer.code !== 0)
      throw new Error(`kubectl ${args.join(" ")} ended with ${answer.code}: ${answer.stderr}`);
    return answer.stdout;
  }

  /** Applies as Argo CD does: server-side, an unknown field is an error. */
  apply(objects: readonly KubernetesObject[]): Answer {
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    const flags = ["--server-side", "--validate=strict", "--field-manager=argocd-controller"];
    // While the server takes in what new custom resources look like, it can be too busy to answer in its time.
    for (let attempt = 0; ; attempt += 1) {
      const answer = this.kubectl(["apply", ...flags, "-f", "-"], list);
      if (attempt === 3 || !answer.stderr.includes("did not complete within requested timeout"))
        return answer;
    }
  }

  /** Would these be let in? Everything up to storing them is done; each that is not has its line. */
  tryCreate(objects: readonly object[]): Answer {
    const documents = objects.map((object) => JSON.stringify(object)).join("\n---\n");
    return this.kubectl(["create", "--dry-run=server", "--validate=strict", "-f", "-"], documents);
  }

  /** The objects as they are stored now, in the order asked for. */
  read(objects: readonly KubernetesObject[]): KubernetesObject[] {
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    const answer = JSON.parse(this.#must(["get", "-o", "json", "-f", "-"], list)) as {
      items?: KubernetesObject[];
    };
    return answer.items ?? [answer as unknown as KubernetesObject];
  }

  /** As it is stored: what belongs into a namespace and names none goes into the one given. */
  inNamespace(object: KubernetesObject, namespace: string): KubernetesObject {
    this.#clusterKinds ??= new Set(
      this.#must(["api-resources", "--namespaced=false", "--no-headers"])
        .split("\n")
        .map((line) => line.trim().split(/\s+/).at(-1) ?? ""),
    );
    if (object.metadata.namespace !== undefined || this.#clusterKinds.has(object.kind)) return object;
    return { ...object, metadata: { ...object.metadata, namespace } };
  }

  /** Waits for what the controllers bring into a namespace before a pod can be. */
  async waitForNamespace(name: string): Promise<void> {
    const args = ["get", "serviceaccount", "default", "--namespace", name];
    await waitFor(this.#api, `the service account of ${name}`, async () =>
      this.kubectl(args).code === 0 ? true : undefined,
    );
  }

  /** Deletes what was applied, and with the namespaces all that is in them. */
  async clear(objects: readonly KubernetesObject[]): Promise<void> {
    const own = objects.filter(
      ({ kind, metadata }) => kind === "Namespace" || metadata.namespace === undefined,
    );
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: own });
    if (own.length > 0) this.#must(["delete", "--ignore-not-found", "--wait=false", "-f", "-"], list);
    const system = new Set(["", "default", "kube-node-lease", "kube-public", "kube-system"]);
    const names = ["get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}"];
    const others = (): string[] =>
      this.kubectl(names)
        .stdout.split(" ")
        .filter((name) => !system.has(name));
    if (others().length > 0)
      this.#must(["delete", "namespace", "--wait=false", "--ignore-not-found", ...others()]);
    await waitFor(this.#api, "the end of the namespaces", async () =>
      others().length === 0 ? true : undefined,
    );
  }

  /** YAML as JSON, without asking whether it is valid. */
  parse(yaml: string): KubernetesObject[] {
    if (yaml.trim() === "") return [];
    const flags = ["--dry-run=client", "--validate=false", "--output=json", "-f", "-"];
    const text = this.#must(["create", ...flags], yaml);
    // One document after the other, each from the first column on.
    return JSON.parse(`[${text.replaceAll(/^\}\n\{/gm, "},\n{")}]`) as KubernetesObject[];
  }

  /** The same of many texts at once, which is quicker: documents keep their order. */
  parseAll(texts: readonly string[]): KubernetesObject[][] {
    const isThere = (document: string): boolean => /^[^#\s]/m.test(document);
    const documents = texts.map((text) => text.split(/^---$/m).filter(isThere));
    const objects = this.parse(documents.flat().join("\n---\n"));
    if (objects.length !== documents.flat().length)
      throw new Error(`${documents.flat().length} documents became ${objects.length} objects`);
    let start = 0;
    return documents.map(({ length }) => objects.slice(start, (start += length)));
  }

  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) await child.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** As JSON, which is YAML. The server made its own certificate. */
const kubeconfig = (server: string, token: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  });
