import { namespaces } from "../../names.ts";
import type { Plan, PlatformSecret, SecretInput } from "../../plan.ts";
import { sealedFolder } from "../kubernetes/platform.ts";

/** Secrets that people and `make` put there, rather than an operator or Terraform. */
export const localSecrets = (plan: Plan): PlatformSecret[] =>
  plan.environment.secrets.engine === "external-secrets"
    ? []
    : plan.secrets.filter(({ writer }) => writer === "secrets");

/** `scripts/secrets.sh`: makes the Secrets that are missing, in the cluster or as sealed files. */
export function secretScript(plan: Plan): string {
  const sealed = plan.environment.secrets.engine === "sealed";
  const secrets = localSecrets(plan);
  return [
    "#!/usr/bin/env bash",
    sealed
      ? "# Makes the sealed Secrets that are missing, for `make seal`. Values are made up or asked for, and never printed."
      : "# Makes the Secrets that are missing, for `make secrets`. Values are made up or asked for, and never printed.",
    "# Run it again after a Secret was deleted: what is there stays as it is.",
    "set -euo pipefail",
    'cd "$(dirname "${BASH_SOURCE[0]}")/.."',
    "",
    ': "${KUBE_CONTEXT:?name the context of the cluster, as the Makefile does}"',
    "declare -A value=()",
    "",
    HELPERS,
    usesUrls(secrets) ? `\n${URL_ENCODING}` : "",
    sealed ? sealing(plan) : APPLYING,
    "",
    ...secrets.map((secret) => secretBlock(secret, secrets)),
    "",
  ]
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n");
}

const HELPERS = `cluster() {
  kubectl --context "$KUBE_CONTEXT" "$@"
}

# existing NAMESPACE/SECRET:KEY - the value that a Secret in the cluster already has.
existing() {
  local secret="\${1%%:*}" key="\${1#*:}"
  cluster --namespace "\${secret%%/*}" get secret "\${secret#*/}" --ignore-not-found \\
    --output "go-template={{ with index .data \\"$key\\" }}{{ base64decode . }}{{ end }}"
}

# random CHARACTERS LENGTH
random() {
  head -c 8192 /dev/urandom | LC_ALL=C tr -dc "$1" | cut -c "1-$2"
}

# asked QUESTION - a value that a person types; nothing is shown of it.
asked() {
  local answer
  read -r -s -p "$1: " answer </dev/tty
  printf '\\n' >/dev/tty
  printf '%s' "$answer"
}

# need ENTRY HOW WHAT [PLACE...] - finds the value of an entry where it already is, else makes it up or asks.
need() {
  local entry="$1" how="$2" what="$3" found="" place
  shift 3
  [[ -z "\${value[$entry]:-}" ]] || return 0
  for place in "$@"; do
    found="$(existing "$place")"
    [[ -z "$found" ]] || break
  done
  if [[ -z "$found" ]]; then
    case "$how" in
      password) found="$(random 'A-Za-z0-9' 40)" ;;
      key) found="$(random '0-9a-f' 64)" ;;
      name) found="$(random 'a-z' 20)" ;;
      file) found="$(<"$(asked "File with the $what")")" ;;
      *) found="$(asked "$what")" ;;
    esac
  fi
  value["$entry"]="$found"
}

# manifest NAMESPACE NAME TYPE [ANNOTATION=VALUE...] -- KEY=VALUE...
manifest() {
  printf 'apiVersion: v1\\nkind: Secret\\ntype: %s\\nmetadata:\\n  name: %s\\n  namespace: %s\\n' "$3" "$2" "$1"
  shift 3
  [[ "$1" == -- ]] || printf '  annotations:\\n'
  while [[ "$1" != -- ]]; do
    printf "    %s: '%s'\\n" "\${1%%=*}" "\${1#*=}"
    shift
  done
  shift
  printf 'data:\\n'
  while (($# > 0)); do
    printf '  %s: %s\\n' "\${1%%=*}" "$(printf '%s' "\${1#*=}" | base64 | tr -d '\\n')"
    shift
  done
}
`;

const URL_ENCODING = `# urlencode TEXT - as part of an address.
urlencode() {
  local LC_ALL=C text="$1" at char code
  for ((at = 0; at < \${#text}; at++)); do
    char="\${text:at:1}"
    case "$char" in
      [A-Za-z0-9._~-]) printf '%s' "$char" ;;
      *)
        printf -v code '%d' "'$char"
        printf '%%%02X' "$((code & 255))"
        ;;
    esac
  done
}
`;

const APPLYING = `
# missing NAMESPACE NAME
missing() {
  local found
  found="$(cluster --namespace "$1" get secret "$2" --ignore-not-found --output name)"
  [[ -z "$found" ]]
}

# put NAMESPACE NAME ... - the same arguments as manifest
put() {
  cluster create namespace "$1" --dry-run=client --output yaml | cluster apply --server-side --filename - >/dev/null
  manifest "$@" | cluster apply --server-side --filename - >/dev/null
  printf 'made %s/%s\\n' "$1" "$2"
}
`;

const sealing = (plan: Plan): string => `
folder="${sealedFolder(plan)}"
certificate="$(mktemp)"
trap 'rm -f "$certificate"' EXIT
kubeseal --context "$KUBE_CONTEXT" --fetch-cert \\
  --controller-namespace ${namespaces.sealedSecrets} --controller-name sealed-secrets-controller >"$certificate"

# missing NAMESPACE NAME
missing() {
  [[ ! -e "$folder/$1-$2.yaml" ]]
}

# put NAMESPACE NAME ... - the same arguments as manifest
put() {
  local file="$folder/$1-$2.yaml"
  manifest "$@" | kubeseal --cert "$certificate" --format yaml >"$file.new"
  mv "$file.new" "$file"
  printf 'sealed %s\\n' "$file"
}
`;

const usesUrls = (secrets: readonly PlatformSecret[]): boolean =>
  secrets.some(({ data }) => Object.values(data).some((text) => text.includes("urlquery")));

/** How a script comes by a value. */
const howOf = ({ origin, shape, property }: SecretInput): string => {
  if (origin === "generated") return shape ?? "password";
  return property === "htpasswd" ? "file" : "given";
};

/** Name of an entry with its property, which is one value. */
const valueName = ({ entry, property }: SecretInput): string =>
  property === undefined ? entry : `${entry}/${property}`;

function secretBlock(secret: PlatformSecret, all: readonly PlatformSecret[]): string {
  const { name, namespace, type = "Opaque", annotations = {}, inputs, data, why } = secret;
  const needs = Object.values(inputs).map((input) =>
    ["  need", valueName(input), howOf(input), shellQuoted(input.what), ...placesOf(input, all)].join(" "),
  );
  const notes = Object.entries(annotations).map(([key, text]) => shellQuoted(`${key}=${text}`));
  const pairs = Object.entries(data).map(([key, text]) => `"${key}=${shellTemplate(text, inputs)}"`);
  const head = `  put ${namespace} ${name} ${type}`;
  const words = notes.length === 0 ? [`${head} --`, ...pairs] : [head, ...notes, "--", ...pairs];
  return [
    "",
    `# ${why.charAt(0).toUpperCase()}${why.slice(1)}.`,
    `if missing ${namespace} ${name}; then`,
    ...needs,
    ...words.map((word, at) => `${at === 0 ? "" : "    "}${word}${at === words.length - 1 ? "" : " \\"}`),
    "fi",
  ].join("\n");
}

/** Where else the value stands as it is: two Secrets that share it must stay in step. */
function placesOf(input: SecretInput, all: readonly PlatformSecret[]): string[] {
  return all.flatMap(({ namespace, name, inputs, data }) =>
    Object.entries(data)
      .filter(([, text]) => {
        const only = /^\{\{ \.(\w+) \}\}$/.exec(text)?.[1];
        const used = only === undefined ? undefined : inputs[only];
        return used !== undefined && valueName(used) === valueName(input);
      })
      .map(([key]) => `${namespace}/${name}:${key}`),
  );
}

function shellTemplate(text: string, inputs: PlatformSecret["inputs"]): string {
  const parts = text.split(/(\{\{ \.\w+(?: \| urlquery)? \}\})/);
  return parts
    .map((part) => {
      const [, name, encoded] = /^\{\{ \.(\w+)( \| urlquery)? \}\}$/.exec(part) ?? [];
      const input = name === undefined ? undefined : inputs[name];
      if (input === undefined) return part.replaceAll(/[\\"$`]/g, "\\$&");
      const value = `\${value[${valueName(input)}]}`;
      return encoded === undefined ? value : `$(urlencode "${value}")`;
    })
    .join("");
}

const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
