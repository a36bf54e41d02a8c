"""Artifacts: empty files, odd names, deep folders; up, list, down and delete."""

import hashlib
import os

import mlflow
from mlflow.artifacts import download_artifacts
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from flow import error_of, observe, unique

client = MlflowClient()
experiment = client.create_experiment(unique("artifacts flow"))
run = client.create_run(experiment)
run_id = run.info.run_id

# Names that the client itself can send: both refuse '#' and '..' segments before a request is made.
names = [
    "plain.txt",
    "empty.bin",
    "with blanks in it.txt",
    "ünïcode 文件 🧪.txt",
    "100%.txt",
    "plus+sign.txt",
    "amp&er=sand.txt",
    "comma,semi;colon@at.txt",
    ".hidden",
    "a..b",
    "trailing.",
    "no_extension",
    "(brackets)[square]{curly}.txt",
    "tilde~star.txt",
    "quote'single.txt",
    "deep/er/and/deep er/ünd/still/file.bin",
    "folder.with.dots/v1.2.3/file.tar.gz",
]


def content(name):
    return b"" if name == "empty.bin" else hashlib.sha256(name.encode()).digest() * 100


source = os.path.abspath("up")
for name in names:
    path = os.path.join(source, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content(name))
client.log_artifacts(run_id, source)
client.log_artifact(run_id, os.path.join(source, "plain.txt"), "one/by one")
client.log_artifact(run_id, os.path.join(source, "empty.bin"), "one")
client.log_text(run_id, "some text", "notes/readme.txt")
client.log_dict(run_id, {"a": 1}, "notes/values.json")


def walk(path=""):
    files = {}
    for one in client.list_artifacts(run_id, path):
        if one.is_dir:
            files.update(walk(one.path))
        else:
            files[one.path] = one.file_size or 0
    return files


listed = walk()
target = os.path.abspath("down")
os.makedirs(target)
folder = download_artifacts(run_id=run_id, artifact_path="", dst_path=target)
downloaded = {
    name: open(os.path.join(folder, name), "rb").read() == content(name)
    for name in names
    if os.path.exists(os.path.join(folder, name))
}
one = client.download_artifacts(run_id, "100%.txt", os.path.abspath("."))
hash_refused = error_of(client.list_artifacts, run_id, "a#b")
climb_refused = error_of(client.list_artifacts, run_id, "../../other")
missing = error_of(client.download_artifacts, run_id, "nobody.txt", os.path.abspath("."))

repository = get_artifact_repository(run.info.artifact_uri)
repository.delete_artifacts("notes")
repository.delete_artifacts("plain.txt")
repository.delete_artifacts("nobody.txt")
left = walk()

observe(
    names=names,
    sizes={name: listed.get(name) for name in names},
    expected_sizes={name: len(content(name)) for name in names},
    others=sorted(set(listed) - set(names)),
    downloaded=downloaded,
    one=open(one, "rb").read() == content("100%.txt"),
    top=sorted([entry.path, entry.is_dir] for entry in client.list_artifacts(run_id, "one")),
    list_file=[entry.path for entry in client.list_artifacts(run_id, "100%.txt")],
    list_nothing=[entry.path for entry in client.list_artifacts(run_id, "nobody")],
    hash_refused=hash_refused,
    climb_refused=climb_refused,
    missing=missing is not None,
    text=mlflow.artifacts.load_text(f"{run.info.artifact_uri}/one/empty.bin"),
    deleted=sorted(set(listed) - set(left)),
)
