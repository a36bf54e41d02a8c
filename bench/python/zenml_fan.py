"""A pipeline of 100 uncached steps in layers of ten, by the real client; prints what it waited for the server."""

import json
import os
import sys
import time

url, folder = sys.argv[1], sys.argv[2]
os.environ.update(
    HOME=folder,
    ZENML_CONFIG_PATH=folder,
    ZENML_ANALYTICS_OPT_IN="false",
    ZENML_LOGGING_VERBOSITY="ERROR",
    ZENML_STORE_URL=url,
)
if len(sys.argv) > 3:
    os.environ.update(ZENML_STORE_USERNAME=sys.argv[3], ZENML_STORE_PASSWORD=sys.argv[4])

import requests  # noqa: E402

waited = {"seconds": 0.0, "requests": 0, "steps": 0}
original = requests.Session.send


def send(self, request, **options):
    since = time.perf_counter()
    try:
        return original(self, request, **options)
    finally:
        waited["seconds"] += time.perf_counter() - since
        waited["requests"] += 1


requests.Session.send = send

from zenml import pipeline, step  # noqa: E402


@step(enable_cache=False)
def first() -> int:
    return 1


@step(enable_cache=False)
def following(value: int) -> int:
    return value + 1


@pipeline(enable_cache=False)
def fan():
    layer = [first(id=f"first_{at}") for at in range(10)]
    for depth in range(9):
        layer = [following(layer[at], id=f"following_{depth}_{at}") for at in range(10)]


if __name__ == "__main__":
    waited.update(seconds=0.0, requests=0)
    since = time.perf_counter()
    run = fan()
    waited["whole"] = time.perf_counter() - since
    waited["status"] = str(run.status.value)
    waited["steps"] = 100
    print("WAITED " + json.dumps(waited))
