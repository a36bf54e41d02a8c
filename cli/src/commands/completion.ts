import type { Command } from "commander";
import { closest } from "fastest-levenshtein";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";

/** One place in the tree of commands: what may follow it. */
type Place = { path: string[]; words: { word: string; description: string }[] };

const printers: Readonly<Record<string, (places: readonly Place[]) => string>> = { bash, zsh, fish };

export async function completion({ output, options }: Call, program: Command): Promise<ExitCode> {
  const shell = String(options["shell"]);
  const print = printers[shell];
  if (print === undefined) {
    const known = Object.keys(printers);
    throw new CommandFailure(
      `There is no completion for '${shell}', only for ${known.join(", ")} (did you mean '${closest(shell, known)}'?).`,
      exitCodes.wrongCall,
    );
  }
  const script = print(places(program, []));
  output.answer({ shell, script }, [script]);
  return exitCodes.ok;
}

function places(command: Command, path: string[]): Place[] {
  const help = command.createHelp();
  const commands = help
    .visibleCommands(command)
    .map((sub) => ({ word: sub.name(), description: sub.description() }));
  const flags = help
    .visibleOptions(command)
    .flatMap((option) =>
      option.long
        ? [{ word: option.long, description: option.description.replace(/ \(PLINTH_.*\)$/, "") }]
        : [],
    );
  return [
    { path, words: [...commands, ...flags] },
    ...command.commands.flatMap((sub) => places(sub, [...path, sub.name()])),
  ];
}

/** Which commands the words so far name, in the shell language that bash and zsh share. */
const FIND_PLACE = `  local place="" word
  for word in "\${given[@]}"; do
    case "$word" in
      -*) ;;
      *) case " $known " in *" $place/$word "*) place="$place/$word" ;; esac ;;
    esac
  done`;

const known = (all: readonly Place[]): string =>
  all.map(({ path }) => path.map((name) => `/${name}`).join("")).join(" ");

function bash(all: readonly Place[]): string {
  const cases = all.map(
    ({ path, words }) =>
      `    "${path.map((name) => `/${name}`).join("")}") words="${words.map(({ word }) => word).join(" ")}" ;;`,
  );
  return `# plinth completion for bash: eval "$(plinth completion bash)"
_plinth() {
  local known="${known(all)}" words=""
  local given=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${FIND_PLACE}
  case "$place" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); fi
}
complete -F _plinth plinth`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function zsh(all: readonly Place[]): string {
  const cases = all.map(({ path, words }) => {
    const items = words.map(({ word, description }) => `      ${quoted(`${word}:${description}`)}`);
    return `    "${path.map((name) => `/${name}`).join("")}") items=(\n${items.join("\n")}\n    ) ;;`;
  });
  return `#compdef plinth
# plinth completion for zsh: source <(plinth completion zsh)
_plinth() {
  local known="${known(all)}"
  local -a items given
  given=("\${(@)words[2,CURRENT-1]}")
${FIND_PLACE}
  case "$place" in
${cases.join("\n")}
  esac
  _describe 'plinth' items || _files
}
compdef _plinth plinth`;
}

function fish(all: readonly Place[]): string {
  const lines = all.flatMap(({ path, words }) => {
    const subcommands = all
      .filter((place) => place.path.length === path.length + 1)
      .map((place) => place.path.at(-1));
    const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`);
    const unseen = path.length === 0 ? [`not __fish_seen_subcommand_from ${subcommands.join(" ")}`] : [];
    const condition = quoted([...seen, ...unseen].join("; and "));
    return words.map(({ word, description }) => {
      const item = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c plinth -n ${condition} ${item} -d ${quoted(description)}`;
    });
  });
  return `# plinth completion for fish: plinth completion fish | source\n${lines.join("\n")}`;
}
