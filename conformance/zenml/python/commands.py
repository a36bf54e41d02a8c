"""Runs a list of commands of the real CLI one after another in one process: each is otherwise seconds of imports."""

import json
import os
import re
import signal
import sys
import tempfile
import traceback

os.environ["COLUMNS"] = "400"

from click.testing import CliRunner  # noqa: E402

try:
    # The entry point of 0.98: from here on the client writes tables to the output that the process has now.
    import zenml_cli  # noqa: E402, F401
except ImportError:
    pass
from zenml.cli.cli import cli  # noqa: E402
from zenml.client import Client  # noqa: E402


def too_long(*_):
    raise TimeoutError("the command did not end within five minutes")


signal.signal(signal.SIGALRM, too_long)
steps = json.loads(sys.argv[2])
# More than one project may be there, and then a process has to say which one it is about.
Client().set_active_project("default")
kept = {}
seen = []
runner = CliRunner()
for step in steps:
    # One that waits for somebody is told apart from one that is slow.
    signal.alarm(300)
    arguments = [re.sub(r"<(\w+)>", lambda found: kept.get(found[1], found[0]), one) for one in step["args"]]
    # Tables go past click's runner, to the process's own output.
    with tempfile.TemporaryFile("w+") as tables:
        sys.__stdout__.flush()
        own = os.dup(1)
        os.dup2(tables.fileno(), 1)
        try:
            result = runner.invoke(cli, arguments, input=step.get("input"))
        finally:
            sys.__stdout__.flush()
            os.dup2(own, 1)
            os.close(own)
        tables.seek(0)
        output = result.output + tables.read()
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        output += "".join(traceback.format_exception(result.exception))
    for name, pattern in step.get("keep", {}).items():
        found = re.search(pattern, output)
        kept[name] = found[1] if found else "nothing-kept"
    # What a command reads of the server must not be what an earlier one in the same process remembered.
    Client._reset_instance()
    # Without the lines and blanks of tables, of which there is far more than of words.
    shown = re.sub(r"(\x1b\[[0-9;]*m|[\s\u2500-\u257f])+", " ", output)
    seen.append({"command": " ".join(arguments), "code": result.exit_code, "output": shown[-step.get("tail", 4000) :]})
print("OBSERVED " + json.dumps(seen), file=sys.__stdout__)
