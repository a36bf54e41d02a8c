// Writes infra/data/zenml/{cli,rest}.json and infra/data/mlflow/routes.json from installed packages:
//   node infra/scripts/refresh-client-tables.ts zenml PYTHON PYTHON...   a virtual environment of zenml[server] for each release
//   node infra/scripts/refresh-client-tables.ts mlflow PYTHON            one of mlflow
//   node infra/scripts/refresh-client-tables.ts catalogue VERSION FLAVORS.json CONNECTOR-TYPES.json
//                                                     the answers of a ZenML server: lists of its flavors and connector types
// Names of commands, options, paths and fields only: structure, no text of theirs.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const data = join(import.meta.dirname, "..", "data");

const CLI = `
import json, click, zenml
from zenml.cli.cli import cli
def node(command):
    options = [p for p in command.params if isinstance(p, click.Option)]
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    spelled = lambda ps: sorted({o for p in ps for o in (*p.opts, *p.secondary_opts)})
    flags = spelled([p for p in options if p.is_flag or p.count])
    out = {"o": [o for o in spelled(options) if o not in flags], "f": flags, "a": len([a for a in arguments if a.nargs != -1])}
    if any(a.nargs == -1 for a in arguments): out["v"] = True
    if command.context_settings.get("ignore_unknown_options"): out["u"] = True
    required = [sorted(p.opts) for p in options if p.required]
    if required: out["r"] = required
    if hasattr(command, "commands"):
        out["c"] = {name: node(sub) for name, sub in sorted(command.commands.items())}
    return {key: value for key, value in out.items() if value}
print(json.dumps({"version": zenml.__version__, "table": node(cli)}))
`;

const REST = `
import json, zenml
from zenml.zen_server.zen_server_api import app
api = app.openapi()
schemas = api["components"]["schemas"]
paths, bodies = {}, {}
for path, methods in api["paths"].items():
    paths[path] = {}
    for method, operation in methods.items():
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        name = schema.get("$ref", "").split("/")[-1]
        paths[path][method.upper()] = name
        if "properties" in schemas.get(name, {}):
            own = schemas[name]
            bodies[name] = {"fields": sorted(own["properties"]), "required": sorted(own.get("required", []))}
print(json.dumps({"version": zenml.__version__, "table": {"paths": paths, "bodies": bodies}}))
`;

const ROUTES = `
import json, runpy, mlflow, mlflow.server
from mlflow.server import app
from mlflow.server.fastapi_app import app as outer
routes = {}
for path, methods in outer.openapi()["paths"].items():
    routes.setdefault(path, set()).update(method.upper() for method in methods)
for rule in app.url_map.iter_rules():
    if rule.endpoint == "static": continue
    routes.setdefault(rule.rule, set()).update(rule.methods - {"HEAD", "OPTIONS"})
# Basic authentication adds its own; which methods they take is not in the list.
auth = runpy.run_path(mlflow.server.__file__.replace("__init__.py", "auth/routes.py"))
for name, path in auth.items():
    if name.isupper() and str(path).startswith("/"): routes.setdefault(path, set())
print(json.dumps({"version": mlflow.__version__, "table": {path: sorted(methods) for path, methods in sorted(routes.items())}}))
`;

type Answer = { version: string; table: unknown };

function ask(python: string, program: string): Answer {
  const environment = { ...process.env, ZENML_ANALYTICS_OPT_IN: "false" };
  const printed = execFileSync(python, ["-c", program], { encoding: "utf8", env: environment });
  const answer: unknown = JSON.parse(printed.trim().split("\n").at(-1) ?? "");
  return answer as Answer;
}

function write(path: string, pythons: readonly string[], program: string): void {
  const answers = pythons.map((python) => ask(python, program));
  const file = join(data, path);
  mkdirSync(join(file, ".."), { recursive: true });
  const versions = Object.fromEntries(answers.map(({ version, table }) => [version, table]));
  writeFileSync(file, `${JSON.stringify({ versions })}\n`);
}

type Schema = { properties?: object; required?: string[] };
type Flavor = { name: string; body: { type: string }; metadata: { config_schema: Schema } };
type Method = { auth_method: string; config_schema: Schema };
type Connector = {
  connector_type: string;
  resource_types: { resource_type: string }[];
  auth_methods: Method[];
};

type FieldNames = { fields: string[]; required: string[]; secret?: string[] };

const fieldsOf = (schema: Schema): FieldNames => {
  const secret = Object.entries(schema.properties ?? {})
    .filter(([, field]) => /"(sensitive|writeOnly)":true/.test(JSON.stringify(field)))
    .map(([name]) => name)
    .sort();
  return {
    fields: Object.keys(schema.properties ?? {}).sort(),
    required: [...(schema.required ?? [])].sort(),
    ...(secret.length === 0 ? {} : { secret }),
  };
};

const sorted = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));

/** Flavors by component type, connector types with their methods: keys and which of them must be there. */
function writeCatalogue(version: string, flavorsFile: string, connectorsFile: string): void {
  const flavors = JSON.parse(readFileSync(flavorsFile, "utf8")) as Flavor[];
  const connectors = JSON.parse(readFileSync(connectorsFile, "utf8")) as Connector[];
  const byType = Map.groupBy(flavors, ({ body }) => body.type);
  const catalogue = {
    version,
    flavors: sorted(
      [...byType].map(([type, own]) => [
        type,
        sorted(own.map(({ name, metadata }) => [name, fieldsOf(metadata.config_schema)])),
      ]),
    ),
    connectors: sorted(
      connectors.map(({ connector_type, resource_types, auth_methods }) => [
        connector_type,
        {
          resourceTypes: resource_types.map(({ resource_type }) => resource_type).sort(),
          methods: sorted(
            auth_methods.map(({ auth_method, config_schema }) => [auth_method, fieldsOf(config_schema)]),
          ),
        },
      ]),
    ),
  };
  writeFileSync(join(data, "zenml", "catalogue.json"), `${JSON.stringify(catalogue)}\n`);
}

const [what, ...given] = process.argv.slice(2);
const [first, second, third] = given;
if (what === "zenml" && first !== undefined) {
  write("zenml/cli.json", given, CLI);
  write("zenml/rest.json", given, REST);
} else if (what === "mlflow" && first !== undefined) {
  write("mlflow/routes.json", [first], ROUTES);
} else if (what === "catalogue" && first !== undefined && second !== undefined && third !== undefined) {
  writeCatalogue(first, second, third);
} else {
  process.stderr.write(
    "usage: refresh-client-tables.ts zenml|mlflow PYTHON... | catalogue VERSION FILE FILE\n",
  );
  process.exitCode = 2;
}
