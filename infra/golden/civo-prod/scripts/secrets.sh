#!/usr/bin/env bash
# Makes the sealed Secrets that are missing, for `make seal`. Values are made up or asked for, and never printed.
# Run it again after a Secret was deleted: what is there stays as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

: "${KUBE_CONTEXT:?name the context of the cluster, as the Makefile does}"
declare -A value=()

cluster() {
  kubectl --context "$KUBE_CONTEXT" "$@"
}

# existing NAMESPACE/SECRET:KEY - the value that a Secret in the cluster already has.
existing() {
  local secret="${1%%:*}" key="${1#*:}"
  cluster --namespace "${secret%%/*}" get secret "${secret#*/}" --ignore-not-found \
    --output "go-template={{ with index .data \"$key\" }}{{ base64decode . }}{{ end }}"
}

# random CHARACTERS LENGTH
random() {
  head -c 8192 /dev/urandom | LC_ALL=C tr -dc "$1" | cut -c "1-$2"
}

# asked QUESTION - a value that a person types; nothing is shown of it.
asked() {
  local answer
  read -r -s -p "$1: " answer </dev/tty
  printf '\n' >/dev/tty
  printf '%s' "$answer"
}

# need ENTRY HOW WHAT [PLACE...] - finds the value of an entry where it already is, else makes it up or asks.
need() {
  local entry="$1" how="$2" what="$3" found="" place
  shift 3
  [[ -z "${value[$entry]:-}" ]] || return 0
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
  printf 'apiVersion: v1\nkind: Secret\ntype: %s\nmetadata:\n  name: %s\n  namespace: %s\n' "$3" "$2" "$1"
  shift 3
  [[ "$1" == -- ]] || printf '  annotations:\n'
  while [[ "$1" != -- ]]; do
    printf "    %s: '%s'\n" "${1%%=*}" "${1#*=}"
    shift
  done
  shift
  printf 'data:\n'
  while (($# > 0)); do
    printf '  %s: %s\n' "${1%%=*}" "$(printf '%s' "${1#*=}" | base64 | tr -d '\n')"
    shift
  done
}

folder="k8s-manifests/sealed-secrets/prod"
certificate="$(mktemp)"
trap 'rm -f "$certificate"' EXIT
kubeseal --context "$KUBE_CONTEXT" --fetch-cert \
  --controller-namespace sealed-secrets --controller-name sealed-secrets-controller >"$certificate"

# missing NAMESPACE NAME
missing() {
  [[ ! -e "$folder/$1-$2.yaml" ]]
}

# put NAMESPACE NAME ... - the same arguments as manifest
put() {
  local file="$folder/$1-$2.yaml"
  manifest "$@" | kubeseal --cert "$certificate" --format yaml >"$file.new"
  mv "$file.new" "$file"
  printf 'sealed %s\n' "$file"
}

# Plinth encrypts the secrets it stores, those of webhooks for example.
if missing tracking plinth-encryption; then
  need acme-prod-plinth-encryption key 'key that Plinth encrypts stored secrets with, 32 bytes in hexadecimal' tracking/plinth-encryption:PLINTH_SECRETS_KEY
  put tracking plinth-encryption Opaque -- \
    "PLINTH_SECRETS_KEY=${value[acme-prod-plinth-encryption]}"
fi

# Plinth does not start on a network before somebody can log in as administrator.
if missing tracking plinth-admin; then
  need acme-prod-plinth-admin password 'password of Plinth'\''s first administrator, admin' tracking/plinth-admin:PLINTH_ADMIN_PASSWORD
  put tracking plinth-admin Opaque -- \
    "PLINTH_ADMIN_PASSWORD=${value[acme-prod-plinth-admin]}"
fi

# The chart would make a new password at every synchronisation.
if missing monitoring grafana-admin; then
  need acme-prod-grafana-admin password 'password of Grafana'\''s first account' monitoring/grafana-admin:admin-password
  put monitoring grafana-admin Opaque -- \
    "admin-user=admin" \
    "admin-password=${value[acme-prod-grafana-admin]}"
fi

# The chart would make new keys at every synchronisation, which logs everybody out.
if missing zenml zenml-server; then
  need acme-prod-zenml-jwt password 'key that ZenML signs its tokens with' zenml/zenml-server:jwt-secret-key
  need acme-prod-zenml-encryption key 'key that ZenML encrypts its secrets with' zenml/zenml-server:encryption-key
  put zenml zenml-server Opaque -- \
    "jwt-secret-key=${value[acme-prod-zenml-jwt]}" \
    "encryption-key=${value[acme-prod-zenml-encryption]}"
fi

# The server activates itself with this administrator, so that no visitor can claim it.
if missing zenml zenml-admin; then
  need zenml-admin/password given 'password of ZenML'\''s first administrator' zenml/zenml-admin:password
  put zenml zenml-admin Opaque -- \
    "password=${value[zenml-admin/password]}"
fi
