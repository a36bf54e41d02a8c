"""Webhooks: created, listed, changed, tested and deleted by the client, and what they are told of the registry."""

import mlflow
from mlflow.entities.webhook import WebhookEvent
from mlflow.tracking import MlflowClient

from flow import ARGS, error_of, observe

receiver = ARGS[0]
client = MlflowClient()
everything = [
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
]


def shown(webhook):
    return dict(
        name=webhook.name,
        url=webhook.url.replace(receiver, ""),
        events=[str(event) for event in webhook.events],
        description=webhook.description,
        status=str(webhook.status),
        secret=webhook.secret,
    )


def tested(webhook, event=None):
    result = client.test_webhook(webhook.webhook_id, event)
    return dict(success=result.success, status=result.response_status, body=result.response_body)


# The client of this version understands events as texts.
signed = client.create_webhook("signed", f"{receiver}/signed", everything, secret="quiet", description="d")
plain = client.create_webhook("plain", f"{receiver}/plain", ["model_version_alias.created"])
off = client.create_webhook("off", f"{receiver}/off", everything, status="DISABLED")
failing = client.create_webhook("failing", f"{receiver}/failing", ["prompt.created"])

seen = dict(
    created=[shown(one) for one in (signed, plain, off)],
    fetched=shown(client.get_webhook(signed.webhook_id)),
    listed=sorted(one.name for one in client.list_webhooks()),
    pages=[len(client.list_webhooks(max_results=3)), client.list_webhooks(max_results=3).token is not None],
    tested=tested(signed),
    tested_event=tested(plain, "model_version_tag.set"),
    tested_off=tested(off),
    failing=tested(failing),
    bad_name=error_of(client.create_webhook, "-", f"{receiver}/x", everything),
    bad_scheme=error_of(client.create_webhook, "x", "ftp://127.0.0.1/x", everything),
)

model = client.create_registered_model("hooked", tags={"team": "a"}, description="a model")
with mlflow.start_run() as run:
    mlflow.log_text("x", "model/file.txt")
version = client.create_model_version(
    "hooked", f"runs:/{run.info.run_id}/model", run.info.run_id, tags={"kind": "b"}, description="a version"
)
client.create_registered_model("plainly")
client.create_model_version("plainly", "s3://bucket/model")
client.set_model_version_tag("hooked", "1", "state", "checked")
client.delete_model_version_tag("hooked", "1", "state")
client.delete_model_version_tag("hooked", "1", "never there")
client.set_registered_model_alias("hooked", "champion", "1")
client.delete_registered_model_alias("hooked", "champion")
client.delete_registered_model_alias("hooked", "never-there")
client.copy_model_version("models:/hooked/1", "copied")
# None of these is told.
client.set_registered_model_tag("hooked", "k", "v")
client.delete_registered_model_tag("hooked", "k")
client.transition_model_version_stage("hooked", "1", "Staging")
client.update_model_version("hooked", "1", "another text")
client.rename_registered_model("hooked", "renamed")
client.delete_model_version("renamed", "1")
client.delete_registered_model("renamed")

changed = client.update_webhook(
    plain.webhook_id, name="other", description="now", events=[WebhookEvent.from_str("prompt.created")], status="DISABLED"
)
seen["changed"] = shown(changed)
seen["changed_back"] = shown(client.update_webhook(plain.webhook_id, description="", url=f"{receiver}/elsewhere"))
client.delete_webhook(off.webhook_id)
seen["deleted"] = error_of(client.get_webhook, off.webhook_id)
seen["unknown"] = error_of(client.test_webhook, "nobody")
observe(run_id=run.info.run_id, **seen)
