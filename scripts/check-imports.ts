// Import direction, as docs/../ARCHITECTURE.md draws it: what may import what. Tests may reach anywhere.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const root = join(import.meta.dirname, "..");

/** Modules in order: each may import only those before it, through their door. */
const modules = ["identity", "storage", "tracking", "registry", "pipelines", "serving"];

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)/g;

type Place = { area: string; module?: string; protocol?: string };

function placeOf(path: string): Place {
  const parts = path.split("/");
  if (parts[0] !== "server") return { area: parts[0] ?? "" };
  if (parts[1] !== "src") return { area: "server/test" };
  const [, , area, name] = parts;
  if (area === "modules") return { area: "modules", module: name ?? "" };
  if (area === "protocols") return { area: "protocols", protocol: name ?? "" };
  if (area === "kernel") return { area: "kernel" };
  if (area === "transfer") return { area: "transfer" };
  return { area: "server/root" };
}

function complaint(from: string, to: string): string | undefined {
  const source = placeOf(from);
  const target = placeOf(to);
  const inServer = (place: Place): boolean =>
    ["modules", "protocols", "transfer", "kernel", "server/root"].includes(place.area);
  if (source.area === "server/test") return undefined;
  if (["conformance", "bench"].includes(source.area) && target.area !== source.area) {
    // The bench and fault suites may share the conformance suite's way of starting a target.
    if (source.area === "bench" && target.area === "conformance") return undefined;
    return `${source.area} imports none of ours`;
  }
  if (source.area === "contract" && target.area !== "contract") return "contract imports nothing of ours";
  if (source.area === "infra" && target.area !== "infra") return "infra imports nothing of ours";
  if (source.area !== "cli" && source.area !== "infra" && target.area === "infra")
    return "only cli imports infra";
  if (inServer(source) && !inServer(target) && target.area !== "contract")
    return "server imports only contract";
  if (source.area === "kernel" && target.area !== "kernel") return "kernel imports nothing of ours";
  if (source.area === "modules") {
    if (["protocols", "transfer", "server/root"].includes(target.area)) return "modules know no protocol";
    if (target.area === "modules" && target.module !== source.module) {
      if (modules.indexOf(target.module ?? "") > modules.indexOf(source.module ?? ""))
        return "modules import only those above them";
      if (!to.endsWith("/index.ts")) return "modules are entered through their door, index.ts";
    }
  }
  if (source.area === "protocols" && target.area === "protocols" && source.protocol !== target.protocol) {
    return "protocols never import one another";
  }
  if (source.area === "transfer") {
    if (["protocols", "server/root"].includes(target.area)) return "transfer knows no protocol";
    if (target.area === "modules" && !to.endsWith("/index.ts"))
      return "modules are entered through their door, index.ts";
  }
  return undefined;
}

const files = globSync("{contract,server,cli,conformance,bench,infra,web}/**/*.ts", {
  cwd: root,
  exclude: ["**/node_modules/**", "**/*.test.ts", "**/*-fixture.ts"],
});
const complaints: string[] = [];
for (const file of files) {
  const text = readFileSync(join(root, file), "utf8");
  for (const match of text.matchAll(IMPORT)) {
    const name = match[1] ?? match[2] ?? "";
    if (!name.startsWith(".")) continue;
    const to = relative(root, resolve(join(root, dirname(file)), name));
    const found = complaint(file, to);
    if (found !== undefined) complaints.push(`${file}: imports ${to}: ${found}`);
  }
}
for (const line of complaints) process.stdout.write(`${line}\n`);
process.stdout.write(`${files.length} files looked at, ${complaints.length} imports in a wrong direction\n`);
process.exitCode = complaints.length === 0 ? 0 : 1;
