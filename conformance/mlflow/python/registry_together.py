"""One of several processes that register versions of the same models at the same time."""

import threading

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from flow import ARGS, observe

client = MlflowClient()
names = ARGS
failures = []
numbers = {name: [] for name in names}


def work():
    try:
        for _ in range(10):
            for name in names:
                try:
                    client.create_registered_model(name)
                except MlflowException as error:
                    if error.error_code != "RESOURCE_ALREADY_EXISTS":
                        raise
                numbers[name].append(int(client.create_model_version(name, "s3://bucket/model").version))
    except Exception as error:
        failures.append(repr(error))


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
observe(failures=failures, numbers=numbers)
