import { PROGRAMS } from "./markdown.ts";
import { commandsOf } from "./shell.ts";
import type { Command, Snippet } from "./workspace.ts";

/** Every command that the text holds, whatever its language. */
export function commandsIn(snippet: Snippet): Command[] {
  const { file, firstLine, text, language } = snippet;
  switch (language) {
    case "shell":
      return commandsOf(withoutAnswers(text), file, firstLine);
    case "makefile":
      return commandsOf(recipes(text), file, firstLine);
    case "dockerfile":
      return commandsOf(instructions(text), file, firstLine);
    case "hcl":
      return [...heredocCommands(snippet), ...quotedCommands(snippet)];
    case "text":
      return snippet.excerpt ? proseCommands(snippet) : [];
    default:
      return [];
  }
}

/** A session with prompts shows answers too: only the lines behind a prompt are commands. */
function withoutAnswers(text: string): string {
  if (!/^\s*\$ \S/m.test(text)) return text;
  let continued = false;
  return text
    .split("\n")
    .map((line) => {
      const isCommand = continued || /^\s*\$ /.test(line);
      continued = isCommand && line.endsWith("\\");
      return isCommand ? line.replace(/^\s*\$ /, "") : "";
    })
    .join("\n");
}

/** Lines of recipes, as make hands them to the shell; the others are empty. */
function recipes(text: string): string {
  let continued = false;
  return text
    .split("\n")
    .map((line) => {
      const isRecipe = line.startsWith("\t") || continued;
      continued = isRecipe && line.endsWith("\\");
      return isRecipe ? line.replace(/^\t\s*[@+-]*/, "").replaceAll("$$", "$") : "";
    })
    .join("\n");
}

/** What a build or a start of the container runs. */
function instructions(text: string): string {
  let continued = false;
  return text
    .split("\n")
    .map((line) => {
      const run = /^\s*(?:RUN|CMD|ENTRYPOINT)\s+(?:--\S+\s+)*/i.exec(line);
      const isRun = run !== null || continued;
      continued = isRun && line.endsWith("\\");
      if (run === null) return isRun ? line : "";
      const command = line.slice(run[0].length);
      return command.startsWith("[") ? execForm(command) : command;
    })
    .join("\n");
}

function execForm(json: string): string {
  try {
    const words: unknown = JSON.parse(json);
    return Array.isArray(words) ? words.map((word) => `'${String(word)}'`).join(" ") : "";
  } catch {
    return "";
  }
}

const LINE = new RegExp(`^\\s*(?:\\$ )?(?:${PROGRAMS}) (?=\\S)`);
const HEREDOC = /<<[-~]?\s*"?(?<marker>[A-Za-z_]\w*)"?\s*$/;

/** Lines of a heredoc that begin with a program: the texts of outputs say what to run next. */
function heredocCommands(snippet: Snippet): Command[] {
  const { file, firstLine, text } = snippet;
  if (!text.includes("<<")) return [];
  let marker: string | undefined;
  const lines = text.split("\n");
  const commands: Command[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (marker === undefined) marker = HEREDOC.exec(line)?.groups?.["marker"];
    else if (line.trim() === marker) marker = undefined;
    else if (LINE.test(line)) {
      const from = index;
      while (lines[index]?.endsWith("\\") === true) index += 1;
      const command = lines.slice(from, index + 1).join("\n");
      commands.push(...commandsOf(command.replace(/^\s*\$ /, ""), file, firstLine + from));
    }
  }
  return commands;
}

const QUOTED = new RegExp(`"((?:${PROGRAMS}) (?:[^"\\\\\n]|\\\\.)*)"`, "g");

/** Strings of outputs that begin with a program. They are found in the text: a file that cannot be parsed has them too. */
function quotedCommands(snippet: Snippet): Command[] {
  const { file, firstLine, text } = snippet;
  return text
    .split("\n")
    .flatMap((line, index) =>
      /^\s*(?:#|\/\/|description\s*=)/.test(line)
        ? []
        : [...line.matchAll(QUOTED)].flatMap(([, command = ""]) =>
            commandsOf(command.replaceAll('\\"', '"'), file, firstLine + index),
          ),
    );
}

/** "Run `zenml status`": what a document tells its reader to run. Other code within sentences only talks about it. */
const TOLD = new RegExp(
  `\\b(?:run|execute|type|enter|using|use|with|via)\\b[^\`.]{0,30}\`((?:${PROGRAMS}) [^\`]+)\``,
  "gi",
);

function proseCommands(snippet: Snippet): Command[] {
  const { file, firstLine, text } = snippet;
  return text
    .split("\n")
    .flatMap((line, index) =>
      [...line.matchAll(TOLD)].flatMap(([, command = ""]) => commandsOf(command, file, firstLine + index)),
    );
}
