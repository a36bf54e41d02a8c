"""What the real client sees of runs, artifacts and models that were made elsewhere."""

import json

from zenml.client import Client

client = Client()
client.set_active_project("default")
seen = {"runs": {}, "models": {}, "artifacts": []}
for run in client.list_pipeline_runs(size=100, sort_by="asc:created", hydrate=True):
    seen["runs"][run.name] = {
        "status": str(run.status),
        "tags": sorted(tag.name for tag in run.tags),
        "steps": {
            name: [str(one.status), sorted(one.inputs), sorted(one.outputs), sorted(one.run_metadata)]
            for name, one in sorted(run.steps.items())
        },
        "pipeline": run.pipeline.name,
    }
for model in client.list_models(size=100):
    for version in client.list_model_versions(model=model.name, size=100, hydrate=True):
        linked = client.list_model_version_artifact_links(model_version_id=version.id, size=100)
        seen["models"][f"{model.name} {version.name}"] = [version.number, version.stage, linked.total]
for version in client.list_artifact_versions(size=200, sort_by="asc:created", hydrate=True):
    seen["artifacts"].append([version.artifact.name, version.version, str(version.type), version.uri])
print("OBSERVED " + json.dumps(seen))
