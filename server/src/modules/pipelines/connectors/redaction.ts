import { textOf, type Connector } from "./connector.ts";

/** Shorter values are words that stand in any message. */
const SHORTEST = 4;

/** Takes the secrets of a connector out of a message, should a service answer with what it was sent. */
export function redactor({
  method,
  configuration,
}: Pick<Connector, "method" | "configuration">): (message: string) => string {
  const names = Object.entries(method.attributes).filter(([, one]) => one.kind === "secret");
  const secrets = names
    .flatMap(([name]) => [textOf(configuration, name), ...textsWithin(textOf(configuration, name))])
    .filter((text) => text.length >= SHORTEST)
    .sort((one, other) => other.length - one.length);
  return (message) => secrets.reduce((text, secret) => text.replaceAll(secret, "***"), message);
}

const PRIVATE = /(?:secret|token|private_key)$/;

/** What is secret in a key that is JSON. */
function textsWithin(text: string): string[] {
  if (!text.startsWith("{")) return [];
  try {
    return Object.entries(JSON.parse(text) as Record<string, unknown>).flatMap(([name, value]) =>
      PRIVATE.test(name) && typeof value === "string" ? [value] : [],
    );
  } catch {
    return [];
  }
}
