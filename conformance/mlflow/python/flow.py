"""What every flow shares: how it says what it saw."""

import json
import logging
import math
import os
import sys
import warnings

warnings.filterwarnings("ignore")
logging.getLogger("mlflow").setLevel(logging.ERROR)

URL = sys.argv[1]
ARGS = sys.argv[2:]


def observe(**seen):
    """Prints the one line that the test reads; NaN and infinities as words, so that it is JSON."""
    print("\nOBSERVED " + json.dumps(_plain(seen)), flush=True)


def error_of(call, *args, **kwargs):
    """The error code a client sees (of the artifact API: the status), or None when nothing was raised."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import HTTPError

    try:
        call(*args, **kwargs)
    except MlflowException as error:
        return {"type": type(error).__name__, "code": error.error_code}
    except HTTPError as error:
        return {"type": "HTTPError", "code": error.response.status_code}
    return None


def unique(name):
    return f"{name} {os.urandom(4).hex()}"


def _plain(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return str(value)
