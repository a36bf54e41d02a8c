"""Registers connectors to AWS, asks what they reach, gets credentials from them, and changes and deletes them."""

import json
import sys
from urllib.request import Request, urlopen

from zenml.client import Client

NAME, AWS = sys.argv[2:4]
client = Client()
store = client.zen_store
seen = {}

bucket = f"bucket-{NAME}"
scope = "AWS4-HMAC-SHA256 Credential=test-key/20260101/us-east-1/s3/aws4_request"
urlopen(Request(f"{AWS}/{bucket}", method="PUT", headers={"Authorization": scope})).read()

KEY = {
    "aws_access_key_id": "test-key",
    "aws_secret_access_key": "test-secret",
    "region": "us-east-1",
    "endpoint_url": AWS,
}


def register(name, auth_method, **more):
    configuration = {**KEY, **more.pop("configuration", {})}
    return client.create_service_connector(
        name=f"{NAME}-{name}",
        connector_type="aws",
        auth_method=auth_method,
        configuration=configuration,
        list_resources=True,
        **more,
    )


def error_of(work):
    try:
        work()
    except Exception as error:
        return [type(error).__name__, str(error)]
    return None


def has_bucket(found):
    return f"s3://{bucket}" in (found.resources_dict["s3-bucket"].resource_ids or [])


def sends(model):
    configuration = model.configuration.plain
    return {
        "auth_method": model.auth_method,
        "resource_id": model.resource_id,
        "keeps_key": configuration["aws_access_key_id"] == "test-key",
        "has_token": "aws_session_token" in configuration,
        "expires": model.expires_at is not None,
    }


connector, found = register("plain", "secret-key", resource_type="s3-bucket", labels={"team": NAME})
seen["registered"] = [connector.name == f"{NAME}-plain", found.error, has_bucket(found)]
_, found = register("role", "iam-role", configuration={"role_arn": "arn:aws:iam::123456789012:role/reader"})
seen["role"] = [found.error, has_bucket(found), found.resources_dict["aws-generic"].resource_ids]
_, found = register("session", "session-token", expiration_seconds=900, resource_type="s3-bucket")
seen["session"] = [found.error, has_bucket(found)]

seen["clients"] = {}
for name in ("plain", "role", "session"):
    model = client.get_service_connector(f"{NAME}-{name}", allow_name_prefix_match=False)
    lent = store.get_service_connector_client(model.id, resource_type="s3-bucket", resource_id=bucket)
    seen["clients"][name] = sends(lent)

listed = client.list_service_connector_resources(connector_type="aws", resource_type="s3-bucket")
seen["listed"] = sorted(one.name for one in listed if one.name.startswith(NAME) and has_bucket(one))
seen["labelled"] = [one.name for one in client.list_service_connectors(labels={"team": NAME}).items]

model, found = client.update_service_connector(f"{NAME}-plain", description="changed", resource_id=bucket)
seen["updated"] = [model.description, model.resource_id, found.resources_dict["s3-bucket"].resource_ids == [f"s3://{bucket}"]]
shown = client.get_service_connector(f"{NAME}-plain", expand_secrets=True)
seen["secrets"] = shown.configuration.plain["aws_secret_access_key"]

seen["refused"] = [
    error_of(lambda: register("no", "workload-identity"))[0],
    error_of(lambda: register("session", "secret-key", verify=False))[0],
    error_of(lambda: register("no", "secret-key", resource_type="s3-bucket", resource_id="nowhere"))[0],
]

client.delete_service_connector(f"{NAME}-plain")
seen["deleted"] = error_of(lambda: client.get_service_connector(f"{NAME}-plain"))[0]
print("OBSERVED " + json.dumps(seen))
