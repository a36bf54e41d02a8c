import { locate, valueOf } from "../hcl/value.ts";
import type { HclBlock } from "../hcl/syntax.ts";
import { isRecord, text, written } from "./plain-values.ts";
import { attributeOf } from "./terraform-releases.ts";
import type { Command, Located, TerraformModule, Workspace } from "./workspace.ts";
import { readYaml } from "./yaml-documents.ts";

/** A request to a REST API that a command or a resource of Terraform makes. */
export type RestRequest = {
  file: string;
  line: number;
  method: string;
  /** From `/api/` or `/ajax-api/` on, without the query. */
  path: string;
  /** Everything that tells which server is meant: the address, the name of the provider. */
  server: string;
  body: Located | undefined;
  inCommand: boolean;
};

export function restRequests(workspace: Workspace): RestRequest[] {
  return [
    ...workspace.commands.flatMap((command) => curlRequest(command) ?? []),
    ...workspace.modules.flatMap(objectRequests),
  ];
}

/** Options of curl that take the next word, apart from those below that matter here. */
const WITH_VALUE =
  /^(?:-[HouAbcemwxEKrTFyYzQtCDhP]|--(?:header|output|user|user-agent|cookie|cookie-jar|max-time|connect-timeout|retry|retry-delay|write-out|proxy|cert|key|cacert|capath|form|upload-file|range|resolve|referer|oauth2-bearer|aws-sigv4))$/;

function curlRequest(command: Command): RestRequest | undefined {
  const [program, ...words] = command.words;
  if (program !== "curl") return undefined;
  let method: string | undefined;
  let data: string | undefined;
  let url: string | undefined;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const [option = "", inline] = word.startsWith("--") ? word.split(/=(.*)/s) : [word];
    const value = (): string => inline ?? words[(index += 1)] ?? "";
    if (option === "--request" || /^-[a-zA-Z]*X$/.test(option)) method = value();
    else if (/^-X./.test(option)) method = option.slice(2);
    else if (/^(?:-d|--data|--data-raw|--data-binary|--data-ascii|--json)$/.test(option)) data = value();
    else if (option === "-I" || option === "--head") method = "HEAD";
    else if (option === "-G" || option === "--get") method = "GET";
    else if (option === "--url") url = value();
    else if (WITH_VALUE.test(option)) index += inline === undefined ? 1 : 0;
    else if (!word.startsWith("-")) url ??= word;
  }
  const path = url === undefined ? undefined : apiPath(url);
  if (url === undefined || path === undefined) return undefined;
  const { file, line } = command;
  const body = data === undefined ? undefined : jsonBody(data, command);
  return {
    file,
    line,
    method: method ?? (data === undefined ? "GET" : "POST"),
    path,
    server: url,
    body,
    inCommand: true,
  };
}

function jsonBody(data: string, { file, line }: Command): Located | undefined {
  if (!/^\s*\{/.test(data)) return undefined;
  const value = readYaml(data, 1).documents[0]?.value;
  return isRecord(value) ? { file, value, lineOf: () => line } : undefined;
}

function apiPath(url: string): string | undefined {
  const at = url.search(/\/(?:ajax-)?api\//);
  return at === -1
    ? undefined
    : url
        .slice(at)
        .replace(/[?#].*$/s, "")
        .replace(/(?<=.)\/$/, "");
}

/** `restapi_object` of Mastercard's provider. */
function objectRequests(module: TerraformModule): RestRequest[] {
  return module.files.flatMap(({ file, body }) =>
    body.blocks
      .filter(({ type, labels }) => type === "resource" && labels[0] === "restapi_object")
      .flatMap((block): RestRequest[] => {
        const pathValue = attributeOf(block.body, "path");
        const path = pathValue === undefined ? undefined : apiPath(written(valueOf(pathValue)) ?? "");
        if (path === undefined || pathValue === undefined) return [];
        const data = attributeOf(block.body, "data");
        const created = attributeOf(block.body, "create_method");
        return [
          {
            file,
            line: pathValue.line,
            method: (created === undefined ? undefined : text(valueOf(created))) ?? "POST",
            path,
            server: serverOf(module, block),
            body: data === undefined ? undefined : locate(file, data),
            inCommand: false,
          },
        ];
      }),
  );
}

function serverOf(module: TerraformModule, block: HclBlock): string {
  const own = attributeOf(block.body, "provider");
  const alias = own?.kind === "reference" ? own.steps[0] : undefined;
  const provider = module.files
    .flatMap(({ body }) => body.blocks)
    .find(({ type, labels, body }) => {
      if (type !== "provider" || labels[0] !== "restapi") return false;
      const name = attributeOf(body, "alias");
      return (name === undefined ? undefined : valueOf(name)) === alias;
    });
  const uri = provider === undefined ? undefined : attributeOf(provider.body, "uri");
  const address = uri === undefined ? "" : (written(valueOf(uri)) ?? "");
  return `${typeof alias === "string" ? alias : ""} ${address}`;
}

/** True where `path` can be the route: blanks and variables of the path fit any part, and `<x>`, `{x}` of the route too. */
export function fitsRoute(path: string, route: string): boolean {
  const wanted = route.split("/");
  const given = path.split("/");
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith("<path:") || /^\{\w+:path\}$/.test(part)) return given.length > index;
    const own = given[index];
    if (own === undefined) return false;
    if (own !== part && !/^[<{]/.test(part) && !/[$<{]/.test(own)) return false;
  }
  return wanted.length === given.length;
}
