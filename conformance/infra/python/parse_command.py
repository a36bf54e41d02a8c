"""Parses command lines with the real client's own parser, and runs none of them.

Argument: the client. Standard input: a JSON list of argument lists. Prints `OBSERVED` and a JSON list with what the
parser says of each, null where it has no complaint.
"""

import importlib
import json
import sys

import click

ROOTS = {"mlflow": ("mlflow.cli", "cli"), "zenml": ("zenml.cli.cli", "cli")}


def complaint(root: click.Command, arguments: list[str]) -> str | None:
    command, context = root, None
    try:
        while True:
            context = command.make_context(command.name, list(arguments), parent=context)
            if not isinstance(command, click.Group):
                return None
            rest = [*context.protected_args, *context.args]
            _, command, arguments = command.resolve_command(context, rest)
    except click.ClickException as error:
        return error.format_message()
    except (click.exceptions.Exit, click.Abort) as error:
        return type(error).__name__


module, name = ROOTS[sys.argv[1]]
cli = getattr(importlib.import_module(module), name)
print("OBSERVED", json.dumps([complaint(cli, one) for one in json.load(sys.stdin)]))
