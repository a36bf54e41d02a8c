import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { isMap, isPair, isScalar, isSeq, parseAllDocuments, type Document, type Pair } from "yaml";
import { goldens, type Golden } from "./golden.ts";
import { lintSnippets } from "./lint/run.ts";
import { snippetsOfText } from "./lint/sources.ts";
import type { OutputFile } from "./synth.ts";

// Whatever a rule guards is spoilt in files that are right, one thing at a time: the linter has to see it. What it does
// not see is the list in the failure.

const all = await goldens();
const examples = all.filter(({ environment }) => environment === "prod");

const messagesOf = (files: readonly OutputFile[]): string[] =>
  lintSnippets(files.flatMap(({ path, text }) => snippetsOfText(path, text))).findings.map(
    ({ rule, message }) => `${rule} ${message}`,
  );

/** Says of changed files whether the linter finds something in them that it does not find in `files`. */
function watch(files: readonly OutputFile[]): (changed: readonly OutputFile[]) => boolean {
  const before = new Set(messagesOf(files));
  return (changed) => messagesOf(changed).some((message) => !before.has(message));
}

const isManifest = ({ path }: OutputFile): boolean =>
  path.endsWith(".yaml") && path.startsWith("k8s-manifests/") && !path.endsWith("values.yaml");

// Maps whose keys are the user's own.
const OWN_KEYS = new Set([
  "labels",
  "annotations",
  "matchLabels",
  "data",
  "stringData",
  "nodeSelector",
  "selector",
  "requests",
  "limits",
  "hard",
  "default",
  "defaultRequest",
  "parameters",
  "values",
]);

/** Places that nobody can judge, and why. */
const FREE: readonly [form: RegExp, why: string][] = [
  [
    /^(monitoring\.googleapis\.com|networking\.gke\.io)\//,
    "Google publishes no schema of its custom resources",
  ],
  [/^operator\.knative\.dev\//, "the operator's schema is not among the data"],
  [/ Application .*\.valuesObject\.grafana\./, "values of a subchart, whose keys the chart does not list"],
  [/ Application .*\.(volumeClaimTemplate|gatewayAPI)\b/, "the chart hands it on as it is"],
  [/ sealed-secrets|\.valuesObject\.fullnameOverride$/, "the chart's values are not among the data"],
  [/ EnvoyProxy .*\.patch\.value\./, "a patch of any object"],
  [/ Cluster .*\.resources\.(requests|limits)$/, "the custom resource preserves what it does not know there"],
  [/ BackupRepo \.spec\.config\./, "parameters of the storage provider"],
];

type Site = { pair: Pair; path: string };

/** The keys of a document that its schema knows. */
function sitesOf(node: unknown, path = ""): Site[] {
  if (isSeq(node)) return node.items.flatMap((item, at) => sitesOf(item, `${path}[${at}]`));
  if (!isMap(node)) return [];
  return node.items.flatMap((pair) => {
    if (!isPair(pair) || !isScalar(pair.key)) return [];
    const key = String(pair.key.value);
    const here = `${path}.${key}`;
    const below = OWN_KEYS.has(key) ? [] : sitesOf(pair.value, here);
    return [{ pair, path: here }, ...below];
  });
}

const kindOf = (document: Document): string =>
  `${String(document.get("apiVersion"))} ${String(document.get("kind"))}`;

describe("a field of a manifest that does not exist", () => {
  test("is seen in every kind of object, at every place of it", () => {
    const unseen: string[] = [];
    const done = new Set<string>();
    let tried = 0;
    for (const { name, files } of examples) {
      for (const file of files.filter(isManifest)) {
        const isSeen = watch([file]);
        const documents = parseAllDocuments(file.text) as Document[];
        for (const document of documents) {
          const kind = kindOf(document);
          if (kind.startsWith("kustomize")) continue;
          for (const { pair, path } of sitesOf(document.contents)) {
            const place = `${kind} ${path.replaceAll(/\[\d+\]/g, "[]")}`;
            if (done.has(place) || path === ".apiVersion" || path === ".kind") continue;
            if (FREE.some(([form]) => form.test(place))) continue;
            done.add(place);
            tried += 1;
            const { key } = pair;
            if (!isScalar(key)) continue;
            const before = key.value;
            key.value = `${String(before)}X`;
            const text = documents.map(String).join("");
            if (!isSeen([{ ...file, text }])) unseen.push(`${name} ${file.path} ${place}`);
            key.value = before;
          }
        }
      }
    }
    expect(unseen).toEqual([]);
    expect(tried).toBeGreaterThan(300);
  });
});

const ARGUMENT = /^(?<indent>\s+)(?<name>[a-z_]+)(?<space>\s+=\s)/;

/** The Terraform modules of an output: the files of each folder. */
function modulesOf({ files }: Golden): OutputFile[][] {
  const folders = new Map<string, OutputFile[]>();
  for (const file of files.filter(({ path }) => path.endsWith(".tf"))) {
    const folder = dirname(file.path);
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return [...folders.values()];
}

describe("Terraform", () => {
  test("an argument that does not exist is seen in every type of resource", () => {
    const unseen: string[] = [];
    const done = new Set<string>();
    for (const golden of examples) {
      for (const files of modulesOf(golden)) {
        const isSeen = watch(files);
        for (const [at, file] of files.entries()) {
          const lines = file.text.split("\n");
          let block = "";
          for (const [index, line] of lines.entries()) {
            block =
              /^(resource|data|ephemeral) "(?<type>\w+)"/.exec(line)?.groups?.["type"] ??
              (/^\w/.test(line) ? "" : block);
            const found = ARGUMENT.exec(line)?.groups;
            // Deeper in, it may be the key of a map.
            if (block === "" || found?.["indent"]?.length !== 2) continue;
            const place = `${block}.${found["name"] ?? ""}`;
            if (done.has(place)) continue;
            done.add(place);
            const changed = lines
              .with(index, line.replace(ARGUMENT, "$<indent>$<name>_x$<space>"))
              .join("\n");
            if (!isSeen(files.with(at, { ...file, text: changed }))) unseen.push(`${file.path} ${place}`);
          }
        }
      }
    }
    expect(unseen).toEqual([]);
    expect(done.size).toBeGreaterThan(100);
  });

  test("a reference to nothing is seen", () => {
    const unseen: string[] = [];
    const done = new Set<string>();
    for (const golden of examples) {
      for (const files of modulesOf(golden)) {
        const isSeen = watch(files);
        for (const [at, file] of files.entries()) {
          for (const { 0: reference, index } of file.text.matchAll(
            /\b(?:var|local|module)\.\w+|\b(?:google|civo|random|zenml)_\w+\.\w+\.\w+/g,
          )) {
            if (done.has(`${file.path} ${reference}`) || /#[^\n]*$/.test(file.text.slice(0, index))) continue;
            done.add(`${file.path} ${reference}`);
            const end = index + reference.length;
            const text = `${file.text.slice(0, end)}_x${file.text.slice(end)}`;
            if (!isSeen(files.with(at, { ...file, text })))
              unseen.push(`${golden.name} ${file.path} ${reference}`);
          }
        }
      }
    }
    expect(unseen).toEqual([]);
    expect(done.size).toBeGreaterThan(100);
  });
});

describe("names that files share", () => {
  const DEFINITIONS =
    /^(kind: (Service|ServiceAccount|ConfigMap|SecretStore|Gateway|Namespace)\nmetadata:\n  name: )(\S+)/gm;

  test.each(examples)(
    "in $name: an object that others name is missed when it goes by another name",
    ({ files }) => {
      const unseen: string[] = [];
      const isSeen = watch(files);
      for (const [at, file] of files.entries()) {
        if (!isManifest(file)) continue;
        for (const { 0: whole, 1: head = "", 2: kind = "", 3: name = "", index } of file.text.matchAll(
          DEFINITIONS,
        )) {
          const others = files.filter((other, place) => place !== at || other.text.split(name).length > 2);
          if (!others.some(({ path, text }) => path.endsWith(".yaml") && namesIt(text, kind, name))) continue;
          const text = `${file.text.slice(0, index)}${head}${name}x${file.text.slice(index + whole.length)}`;
          if (!isSeen(files.with(at, { ...file, text }))) unseen.push(`${file.path} ${kind} ${name}`);
        }
      }
      expect(unseen).toEqual([]);
    },
  );

  /** The fields that name an object of each kind. */
  function namesIt(text: string, kind: string, name: string): boolean {
    const field: Readonly<Record<string, RegExp>> = {
      Service: /backendRefs:\n(?:\s+.*\n)*?\s+-? ?name: (\S+)/g,
      ServiceAccount: /serviceAccountName: (\S+)/g,
      ConfigMap: /configMap(?:KeyRef|Ref)?:\n\s+name: (\S+)/g,
      SecretStore: /secretStoreRef:\n\s+kind: SecretStore\n\s+name: (\S+)/g,
      Gateway: /parentRefs:\n\s+- name: (\S+)/g,
      Namespace: /^ {2}namespace: (\S+)/gm,
    };
    return [...text.matchAll(field[kind] ?? /(?!)/g)].some(([, named]) => named === name);
  }
});
