"""Loads models by their addresses from a tracking server and predicts with each.

load_model.py TRACKING_URI URI...: prints the predictions of each.
"""

import json
import sys

import mlflow
import numpy

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_registry_uri(sys.argv[1])
inputs = numpy.array([[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [4.0, 3.0]])
print("LOADED " + json.dumps([mlflow.pyfunc.load_model(uri).predict(inputs).tolist() for uri in sys.argv[2:]]))
