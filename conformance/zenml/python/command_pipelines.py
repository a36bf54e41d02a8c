"""Pipelines that commands are given by name; what they make begins with the client's own name."""

import os
from typing import Annotated

import zenml
from zenml import ArtifactConfig, Model, pipeline, step
from zenml.enums import ArtifactType

NAME = os.environ["OWN_NAME"]


def noticed():
    print("a hook that notices")


@step(on_success=noticed)
def train() -> tuple[
    Annotated[dict, ArtifactConfig(name=f"{NAME}-data")],
    Annotated[dict, ArtifactConfig(name=f"{NAME}-weights", artifact_type=ArtifactType.MODEL)],
    Annotated[dict, ArtifactConfig(name=f"{NAME}-served", artifact_type=ArtifactType.SERVICE)],
]:
    return {"a": 1}, {"w": [0.5]}, {"url": "http://127.0.0.1:9"}


@pipeline(name=f"{NAME}-training", enable_cache=False, model=Model(name=f"{NAME}-trained"))
def training():
    train()


@step
def breaks() -> int:
    raise ValueError("broken on purpose")


@pipeline(name=f"{NAME}-failing", enable_cache=False)
def failing():
    breaks()


if zenml.__version__ == "0.98.0":
    from zenml import wait

    @pipeline(name=f"{NAME}-waiting", enable_cache=False, dynamic=True)
    def waiting():
        wait(schema=int, question="How many?", timeout=0)
