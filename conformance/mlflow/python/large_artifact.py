"""One large file up and down, compared by checksum; the size in bytes is the first argument."""

import hashlib
import os
import random
import resource

from mlflow.tracking import MlflowClient

from flow import ARGS, observe, unique

size = int(ARGS[0])
block = 1 << 20
client = MlflowClient()
run_id = client.create_run(client.create_experiment(unique("large artifact flow"))).info.run_id


def digest(path):
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(block):
            found.update(chunk)
    return found.hexdigest()


source = os.path.abspath("large.bin")
generator = random.Random(11)
pattern = generator.randbytes(block)
with open(source, "wb") as file:
    for index in range(size // block):
        # Every block differs, so a block that is lost, doubled or swapped changes the checksum.
        file.write(index.to_bytes(8, "big") + pattern[8:])
    file.write(pattern[: size % block])

sent = digest(source)
client.log_artifact(run_id, source)
os.remove(source)
listed = [[one.path, one.file_size] for one in client.list_artifacts(run_id)]
os.makedirs("down")
path = client.download_artifacts(run_id, "large.bin", os.path.abspath("down"))
received = digest(path)

observe(
    listed=listed,
    size=os.path.getsize(path),
    equal=sent == received,
    client_peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
)
