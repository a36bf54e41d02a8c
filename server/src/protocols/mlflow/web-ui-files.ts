import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { lookup } from "mime-types";
import { invalidParameter } from "../../kernel/errors.ts";

/** MLflow's web UI as its package brings it: a page, and the files that the page names. */
export type WebUi = {
  index: { body: Buffer; etag: string; lastModified: Date };
  /** By the path below `/static-files/`: what is not in here cannot be asked for. */
  files: ReadonlyMap<string, UiFile>;
};

export type UiFile = {
  path: string;
  contentType: string;
  etag: string;
  lastModified: Date;
  /** Its name holds a hash of its content, so it never changes under that name. */
  hashed: boolean;
  compressible: boolean;
};

/** Where MLflow's build lies, seen from a folder that somebody may well give. */
const BUILD = ["server", "js", "build"];
const PACKAGE = ["mlflow", ...BUILD];

/** Reads which files there are, once, at start. Throws when `folder` does not lead to MLflow's build. */
export async function openWebUi(folder: string): Promise<WebUi> {
  const build = await findBuild(folder);
  const page = join(build, "index.html");
  const body = await readFile(page);
  if (!/<title>MLflow<\/title>/.test(body.toString("utf8")) || !body.includes("static-files/")) {
    throw notTheUi(`'${page}' is not the page of MLflow's web UI`);
  }
  const files = new Map<string, UiFile>();
  await collect(build, "", files);
  const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`;
  return { index: { body, etag, lastModified: (await stat(page)).mtime }, files };
}

async function findBuild(folder: string): Promise<string> {
  const candidates = [
    folder,
    join(folder, "build"),
    join(folder, ...BUILD),
    join(folder, ...PACKAGE),
    ...(await sitePackages(folder)).map((path) => join(path, ...PACKAGE)),
  ];
  for (const candidate of candidates) {
    if (
      (await isFile(join(candidate, "index.html"))) &&
      (await isFile(join(candidate, "asset-manifest.json")))
    ) {
      return candidate;
    }
  }
  if ((await stat(folder).catch(() => undefined)) === undefined) {
    throw notTheUi(`there is no folder '${folder}'`);
  }
  // mlflow-skinny and mlflow-tracing have the package without its web UI.
  throw notTheUi(`'${folder}' holds neither a built web UI nor an installed 'mlflow' package that has one`);
}

/** Of a virtual environment: `lib/python3.12/site-packages`. */
async function sitePackages(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, "lib")).catch(() => []);
  return names
    .filter((name) => name.startsWith("python3"))
    .map((name) => join(folder, "lib", name, "site-packages"));
}

const isFile = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isFile() === true;

const notTheUi = (reason: string): Error =>
  invalidParameter(
    `--mlflow-ui: ${reason}. Give a virtual environment that 'pip install mlflow' filled, its site-packages, ` +
      "or the folder mlflow/server/js/build itself.",
  );

async function collect(folder: string, below: string, files: Map<string, UiFile>): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const name = below + entry.name;
    if (entry.isDirectory()) {
      await collect(path, `${name}/`, files);
      continue;
    }
    // Followed where it is a link: some installers link files to a store of theirs.
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true) files.set(name, describe(path, name, found));
  }
}

const HASHED = /\.[0-9a-f]{8,32}\./;
const TEXT = /^(?:text\/|application\/(?:json|javascript|manifest\+json)|image\/svg|font\/ttf)/;

function describe(path: string, name: string, { size, mtime }: Stats): UiFile {
  const type = lookup(name) || "application/octet-stream";
  return {
    path,
    contentType: /^(?:text|application\/j)/.test(type) ? `${type}; charset=utf-8` : type,
    etag: `"${size.toString(16)}-${mtime.getTime().toString(16)}"`,
    lastModified: mtime,
    hashed: HASHED.test(name),
    compressible: TEXT.test(type) && size > 1024,
  };
}
