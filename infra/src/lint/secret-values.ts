/** Judges names and values of settings: which hold a secret, written out. No value is ever part of a message. */

const UNDERSCORED = /([a-z0-9])([A-Z])/g;

/** `adminPassword`, `ADMIN_PASSWORD` and `admin-password` are one name. */
export const settingName = (key: string): string =>
  key.replaceAll(/["']/g, "").replaceAll(UNDERSCORED, "$1_$2").replaceAll(/[.-]/g, "_").toLowerCase();

/** Names whose value is a secret, whatever it looks like. */
const CERTAIN =
  /(?:^|_)(?:passwords?|passwd|pwd|passphrase|secret_access_key|client_secret|api_token|auth_token|access_token|admin_token|bearer_token|jwt_secret|jwt_secret_key|flask_server_secret_key)$/;

/** Names whose value may as well be the name of a key, of a Secret or of a file. */
const LIKELY =
  /(?:^|_)(?:secret|token|secret_key|api_?key|private_key|encryption_key|signing_key|access_key|credentials?|auth)$/;

export function isSecretSetting(key: string, value: string): boolean {
  const name = settingName(key);
  if (isPlaceholder(value)) return false;
  if (CERTAIN.test(name)) return !/^(?:true|false|null|none|string|\d{1,4})$/i.test(value);
  return LIKELY.test(name) && looksRandom(value);
}

/** Filled in elsewhere, a reference, the beginning of a map or list, or only an example of a form. */
export function isPlaceholder(value: string): boolean {
  return (
    value === "" ||
    /^[<{[]/.test(value) ||
    /[$%]\{|\{\{|\$\(|^\$|^\*+$|^x+$|^\.{3}|^[|>&*!~@][-+\d]*$|^[&*!]\w/i.test(value) ||
    /^(?:your|my)[-_ ]|^(?:replace|redacted|placeholder|todo|insert|example|dummy|set[-_]?me|fill[-_]?in)/i.test(
      value,
    ) ||
    /^(?:\/|\.\/|~\/|file:|vault:|ref\+|arn:|op:\/\/|projects\/|gcp-?sm:|aws-?sm:|sops:|ENC\[)/.test(value)
  );
}

/** Letters and figures without a word in them, long enough for nobody to have thought of it. */
export function looksRandom(value: string): boolean {
  if (value.length < 20 || /\s/.test(value) || /^[0-9a-f-]{36}$/i.test(value)) return false;
  if (/^(?:sha\d+[:-]|https?:|[a-z]+(?:[-_./][a-z]+)+$)/i.test(value)) return false;
  return /\d/.test(value) && /[A-Za-z]/.test(value) && entropy(value) >= 3.7;
}

/** Bits for each character, by how often each one comes (Shannon). English words have some 3. */
function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const char of value) counts.set(char, (counts.get(char) ?? 0) + 1);
  return [...counts.values()].reduce((bits, count) => {
    const share = count / value.length;
    return bits - share * Math.log2(share);
  }, 0);
}

/** Passwords that images and charts come with: the first that anybody tries. `[zenml/zenml]` is a service account. */
export const DEFAULTS =
  /\bminioadmin\d*\b|\bpassword1234\b|\bprom-operator\b|(?<=\b(?:credentials?|log-?in|auth|user(?:name)?(?:\/password)?)["']?\s*[:=]\s*["']?)(?:admin|root|postgres|zenml|mlflow)[:/](?:admin|root|password|postgres|zenml|mlflow|secret)\b(?![/.\w-])/i;

/** Forms that only keys have, with who gives them out. */
export const TOKENS: readonly { of: string; form: RegExp }[] = [
  // The one of AWS's own documentation is no key.
  { of: "an AWS access key", form: /\b(?:AKIA|ASIA)(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}\b/ },
  { of: "a ZenML API key", form: /\bZENKEY_[A-Za-z0-9_-]{16,}/ },
  { of: "a GitHub token", form: /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,})/ },
  { of: "a GitLab token", form: /\bglpat-[A-Za-z0-9_-]{20,}/ },
  { of: "a Slack token", form: /\bxox[abposr]-[A-Za-z0-9-]{20,}/ },
  { of: "a Google API key", form: /\bAIza[0-9A-Za-z_-]{35}\b/ },
  { of: "a Hugging Face token", form: /\bhf_[A-Za-z0-9]{30,}/ },
  { of: "a private key", form: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/ },
  { of: "a JSON Web Token", form: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/ },
];
