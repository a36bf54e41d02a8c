import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { invalidParameter, PlinthError } from "../../kernel/errors.ts";

/** Of scrypt (RFC 7914): memory is 128 * N * r bytes, work p times that. */
export type PasswordCost = { N: number; r: number; p: number };

/** What OWASP's Password Storage Cheat Sheet gives for 32 MiB, as strong as its N=2^17, p=1 for 128 MiB: 0.1 to 0.3 s. */
const productionCost: PasswordCost = { N: 2 ** 15, r: 8, p: 3 };

export type Passwords = {
  /** `scrypt$N$r$p$salt$hash`. */
  hash(password: string): Promise<string>;
  /** `stored` is undefined for whoever has no password: that takes the same time, and is never right. */
  check(password: string, stored: string | undefined, turn?: Turn): Promise<Checked>;
};

type Turn = {
  /** Comes before all that are not: guessers from everywhere must not fill the line of those who are known. */
  isKnown?: boolean;
  /** Runs when it is this one's turn, and may refuse it. */
  begin?(): Promise<void>;
};

export type Checked = {
  matches: boolean;
  /** Hashed at another cost than today's: to be hashed again while the password is at hand. */
  outdated: boolean;
};

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/**
 * At once, in one process: each takes 32 MiB and a thread of the four that files and names are read with, too.
 */
const AT_ONCE = 2;
/** In each of the two lines, some 15 s of work. Whoever comes then is told to come later, and nothing is done. */
const MAX_WAITING = 100;

export function createPasswords(cost: PasswordCost = productionCost): Passwords {
  const turns = createTurns();
  const dummy = { cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
  return {
    hash: (password) =>
      turns(true, async () => {
        const salt = randomBytes(SALT_BYTES);
        const hash = await derive(password, salt, cost);
        const { N, r, p } = cost;
        return ["scrypt", N, r, p, salt.toString("base64url"), hash.toString("base64url")].join("$");
      }),
    check: (password, stored, { isKnown = false, begin } = {}) =>
      turns(isKnown, async () => {
        await begin?.();
        const against = stored === undefined ? dummy : parse(stored);
        const hash = await derive(password, against.salt, against.cost);
        const matches = timingSafeEqual(hash, against.hash) && stored !== undefined;
        const { N, r, p } = against.cost;
        return { matches, outdated: N !== cost.N || r !== cost.r || p !== cost.p };
      }),
  };
}

function parse(stored: string): { cost: PasswordCost; salt: Buffer; hash: Buffer } {
  const [scheme, N, r, p, salt, hash] = stored.split("$");
  if (scheme !== "scrypt" || salt === undefined || hash === undefined) {
    throw new Error("A password hash in the database has an unknown format.");
  }
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  return { cost, salt: Buffer.from(salt, "base64url"), hash: Buffer.from(hash, "base64url") };
}

/**
 * NFC, as RFC 8265 (OpaqueString) asks: the same characters typed on another system are the same password. Not NFKC,
 * which takes different characters for the same.
 */
const derive = (password: string, salt: Buffer, { N, r, p }: PasswordCost): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { N, r, p, maxmem: 256 * r * (N + p + 8) };
    scrypt(password.normalize("NFC"), salt, HASH_BYTES, options, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    );
  });

/** A few at once, some more waiting in their order, those first who are known, the others refused. */
function createTurns(): <T>(isKnown: boolean, work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const lines: Record<"known" | "other", (() => void)[]> = { known: [], other: [] };
  return async (isKnown, work) => {
    if (running < AT_ONCE) running += 1;
    else {
      const waiting = isKnown ? lines.known : lines.other;
      if (waiting.length >= MAX_WAITING) throw busy();
      // Whoever is done hands over its place.
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = lines.known.shift() ?? lines.other.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

const busy = (): PlinthError =>
  new PlinthError("too_many_requests", "Too many passwords wait to be checked. Try again.", {
    retryAfterSeconds: 5,
  });

const MIN_CHARACTERS = 12;
const MAX_CHARACTERS = 1024;

/** Throws for a password that nobody should have. Its text is in no message. */
export function assertGoodPassword(password: string, name: string): void {
  const characters = password.length > 2 * MAX_CHARACTERS ? Infinity : Array.from(password).length;
  if (characters < MIN_CHARACTERS) {
    throw invalidParameter(`A password must have at least ${MIN_CHARACTERS} characters.`);
  }
  if (characters > MAX_CHARACTERS) {
    throw invalidParameter(`A password must have at most ${MAX_CHARACTERS} characters.`);
  }
  if (!password.isWellFormed() || password.includes("\0")) {
    throw invalidParameter("A password must be text without null characters.");
  }
  if (fold(password) === fold(name)) throw invalidParameter("A password must not be the user's name.");
  const simple = fold(password).replaceAll(/[^\p{L}\p{N}]/gu, "");
  if (guessedFirst.some((start) => simple.startsWith(start) && simple.length - start.length <= 6)) {
    throw invalidParameter("A password must not be one of those that are tried first, such as password1234.");
  }
  if (isRepeated(simple)) throw invalidParameter("A password must not be a few characters repeated.");
}

/** What lists of leaked passwords hold of this length, with up to six characters after it. */
const guessedFirst: readonly string[] = [
  "password",
  "passw0rd",
  "p4ssw0rd",
  "administrator",
  "changeme",
  "letmein",
  "welcome",
  "iloveyou",
  "1234567890",
  "0123456789",
  "1q2w3e4r5t",
  "q1w2e3r4t5",
  "1qaz2wsx3edc",
  "qwertyuiop",
  "qwerty123456",
  "asdfghjkl",
  "abcdefghij",
  "abcd1234",
  "mlflow",
  "zenml",
  "minioadmin",
  "plinth",
];

/** Such as `aaaaaaaaaaaa` or `adminadminadmin`. */
function isRepeated(text: string): boolean {
  for (let length = 1; length <= Math.min(6, text.length / 2); length += 1) {
    const start = text.slice(0, length);
    if (start.repeat(Math.ceil(text.length / length)).startsWith(text)) return true;
  }
  return false;
}

const fold = (text: string): string => text.normalize("NFKC").toLowerCase();

/** Whether it may be tried at all: no hash is computed over a megabyte. */
export const isPossiblePassword = (password: string): boolean =>
  password !== "" && password.length <= 2 * MAX_CHARACTERS && password.isWellFormed();

/** Told apart from a new password that is no good. */
export class WrongCurrentPassword extends PlinthError {
  constructor() {
    super("invalid_parameter", "Current password does not match.");
  }
}
