/** Names for runs that were given none: `steady-otter-412`, easy to say and to tell apart. */
const qualities = [
  "amber", "apt", "bold", "brisk", "calm", "clear", "crisp", "deft", "eager", "fair", "fleet", "fond", "fresh",
  "gentle", "glad", "grand", "handy", "hardy", "jolly", "keen", "kind", "light", "lively", "lucid", "mellow", "merry",
  "mild", "neat", "noble", "odd", "plain", "proud", "quick", "quiet", "rapid", "ready", "sage", "sharp", "sleek", "snug",
  "solid", "spry", "steady", "stout", "sunny", "swift", "tidy", "true", "vivid", "warm", "witty", "zesty",
]; // prettier-ignore

const creatures = [
  "adder", "badger", "bison", "bream", "civet", "coot", "crake", "dingo", "dunnock", "egret", "ermine", "ferret",
  "gannet", "gecko", "gibbon", "grebe", "heron", "hoopoe", "ibex", "ibis", "jackal", "jackdaw", "kestrel", "kiwi",
  "lemur", "linnet", "lynx", "marmot", "marten", "merlin", "mole", "narwhal", "newt", "ocelot", "oriole", "osprey",
  "otter", "pipit", "plover", "puffin", "quokka", "raven", "sable", "serval", "siskin", "stoat", "swift", "tapir",
  "teal", "tern", "vole", "wombat", "yak",
]; // prettier-ignore

const pick = (words: readonly string[]): string => words[Math.floor(Math.random() * words.length)] as string;

export const randomRunName = (): string =>
  `${pick(qualities)}-${pick(creatures)}-${Math.floor(Math.random() * 1000)}`;
