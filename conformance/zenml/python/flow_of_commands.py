"""A pipeline that the CLI's `pipeline` commands are given."""

from zenml import pipeline, step


@step
def one() -> int:
    return 1


@pipeline(enable_cache=False)
def by_command():
    one()
