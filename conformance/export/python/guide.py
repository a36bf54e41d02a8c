"""Runs the Python of docs/guides/export.md, block after block, in a folder that holds `export` and `export-jsonl`."""

import contextlib
import io
import json
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    blocks = re.findall(r"^```python\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
printed = []
for block in blocks:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(block, "export.md", "exec"), {})
    printed.append(out.getvalue())
print("\nOBSERVED " + json.dumps({"printed": printed}))
