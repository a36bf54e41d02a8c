"""What MLflow documents of its permissions, as people see it who log in by name and password."""

import contextlib
import os

import mlflow
import mlflow.server
from mlflow.tracking import MlflowClient

from flow import ARGS, URL, error_of, observe

admin = (ARGS[0], ARGS[1])
suffix = os.urandom(3).hex()
ann, bob, cid = [(f"{name}-{suffix}", f"the password of {name}") for name in ("ann", "bob", "cid")]
old_client = mlflow.__version__.startswith("2.")


@contextlib.contextmanager
def login(user):
    os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"] = user
    try:
        yield
    finally:
        del os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]


def refused(call, *args, **kwargs):
    """None, or the code that the client raises; 403 of the artifact API is the same as PERMISSION_DENIED."""
    error = error_of(call, *args, **kwargs)
    if error is None:
        return None
    return "PERMISSION_DENIED" if error["code"] == 403 else error["code"]


client = MlflowClient()
auth = mlflow.server.get_app_client("basic-auth", URL)

with login(admin):
    for user in (ann, bob, cid):
        auth.create_user(*user)

with login((ann[0], "a wrong password")):
    wrong = refused(client.search_experiments)
with login((f"nobody-{suffix}", "a wrong password")):
    unknown = refused(client.search_experiments)
anonymous = refused(client.search_experiments)

with login(ann):
    experiment = client.create_experiment(f"experiment {suffix}")
    run = client.create_run(experiment)
    client.log_param(run.info.run_id, "depth", "3")
    client.log_metric(run.info.run_id, "loss", 0.5)
    client.log_text(run.info.run_id, "a text", "notes/note.txt")
    other_run = client.create_run(experiment)
    model = f"model {suffix}"
    client.create_registered_model(model)
    client.create_model_version(model, f"{run.info.artifact_uri}/notes", run.info.run_id)
    place = f"{run.info.artifact_uri}/notes/note.txt"


def grant(user, permission):
    """On the experiment and the model, in place of what was granted before."""
    if old_client:
        for verb in ("create", "update"):
            with contextlib.suppress(mlflow.MlflowException):
                getattr(auth, f"{verb}_experiment_permission")(experiment, user[0], permission)
                getattr(auth, f"{verb}_registered_model_permission")(model, user[0], permission)
        return
    for type_, name in (("experiment", experiment), ("registered_model", model)):
        with contextlib.suppress(mlflow.MlflowException):
            auth.revoke_user_permission(user[0], type_, name)
        auth.grant_user_permission(user[0], type_, name, "DENY" if permission == "NO_PERMISSIONS" else permission)


def may_grant(user):
    """Whether the one who is logged in may: the permission is taken back."""
    if old_client:
        code = refused(auth.create_experiment_permission, experiment, user[0], "READ")
        if code is None:
            auth.delete_experiment_permission(experiment, user[0])
    else:
        code = refused(auth.grant_user_permission, user[0], "experiment", experiment, "READ")
        if code is None:
            auth.revoke_user_permission(user[0], "experiment", experiment)
    return code


def tries():
    """What each of these answers to whoever is logged in."""
    run_id = run.info.run_id
    return dict(
        get_experiment=refused(client.get_experiment, experiment),
        by_name=refused(client.get_experiment_by_name, f"experiment {suffix}"),
        get_run=refused(client.get_run, run_id),
        history=refused(client.get_metric_history, run_id, "loss"),
        list_artifacts=refused(client.list_artifacts, run_id),
        download=refused(mlflow.artifacts.load_text, place),
        found_runs=len(client.search_runs([experiment])),
        found_experiment=len(client.search_experiments(filter_string=f"name = 'experiment {suffix}'")),
        log_metric=refused(client.log_metric, run_id, "loss", 1),
        log_batch=refused(client.log_batch, run_id, metrics=[mlflow.entities.Metric("loss", 2, 1, 1)]),
        set_tag=refused(client.set_tag, run_id, "note", "x"),
        upload=refused(client.log_text, run_id, "another text", "notes/other.txt"),
        create_run=refused(client.create_run, experiment),
        set_experiment_tag=refused(client.set_experiment_tag, experiment, "note", "x"),
        get_model=refused(client.get_registered_model, model),
        get_version=refused(client.get_model_version, model, "1"),
        found_model=len(client.search_registered_models(f"name = '{model}'")),
        update_model=refused(client.update_registered_model, model, "another description"),
        set_model_tag=refused(client.set_registered_model_tag, model, "note", "x"),
        set_alias=refused(client.set_registered_model_alias, model, "best", "1"),
        grant=may_grant(cid),
        delete_run=refused(client.delete_run, other_run.info.run_id),
        delete_version_tag=refused(client.delete_model_version_tag, model, "1", "note"),
        delete_experiment=refused(client.delete_experiment, experiment),
    )


def undo():
    with login(admin):
        if client.get_experiment(experiment).lifecycle_stage == "deleted":
            client.restore_experiment(experiment)
        if client.get_run(other_run.info.run_id).info.lifecycle_stage == "deleted":
            client.restore_run(other_run.info.run_id)


seen = {}
with login(bob):
    seen["READ"] = tries()
    own = refused(client.create_experiment, f"experiment of bob {suffix}")
for permission in ("EDIT", "MANAGE", "NO_PERMISSIONS"):
    with login(ann):
        grant(bob, permission)
    with login(bob):
        seen[permission] = tries()
    undo()

# Every second of twelve is taken away: pages are full all the same.
with login(ann):
    many = [client.create_experiment(f"many {suffix} {index:02}") for index in range(12)]
    for index, one in enumerate(many):
        client.create_registered_model(f"many {suffix} {index:02}")
        if index % 2 == 0:
            experiment, model = one, f"many {suffix} {index:02}"
            grant(bob, "NO_PERMISSIONS")


def pages(search, **kwargs):
    lengths, names, token = [], [], None
    while True:
        page = search(filter_string=f"name LIKE 'many {suffix}%'", max_results=4, page_token=token, **kwargs)
        lengths.append(len(page))
        names.extend(int(one.name[-2:]) for one in page)
        token = page.token
        if not token:
            return dict(lengths=[length for length in lengths if length], names=sorted(names))


with login(bob):
    paged = dict(
        experiments=pages(client.search_experiments, order_by=["name"]),
        models=pages(client.search_registered_models, order_by=["name"]),
    )

new = (bob[0], "another password of bob")
with login(bob):
    without_current = refused(auth.update_user_password, *new)
    if not old_client:
        wrong_current = refused(auth.update_user_password, *new, current_password="not the current one")
        another_ones = refused(auth.update_user_password, ann[0], new[1], current_password=bob[1])
        changed = refused(auth.update_user_password, *new, current_password=bob[1])
if old_client:
    with login(admin):
        wrong_current, another_ones = "INVALID_PARAMETER_VALUE", "PERMISSION_DENIED"
        changed = refused(auth.update_user_password, *new)
with login(bob):
    after_change = refused(client.search_experiments)
with login(new):
    with_new = refused(client.search_experiments)
with login(admin):
    auth.delete_user(cid[0])
with login(cid):
    deleted = refused(client.search_experiments)

observe(
    login=dict(wrong=wrong, unknown=unknown, anonymous=anonymous),
    own=own,
    permissions=seen,
    paged=paged,
    password=dict(
        without_current=without_current,
        wrong_current=wrong_current,
        another_ones=another_ones,
        changed=changed,
        after_change=after_change,
        with_new=with_new,
        deleted=deleted,
    ),
)
