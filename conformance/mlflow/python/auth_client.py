"""Every method of the client that `mlflow.server.get_app_client` answers, and the ways to log in."""

import os

import mlflow.server
import requests
from mlflow.tracking import MlflowClient

from flow import ARGS, URL, error_of, observe

admin = (ARGS[0], ARGS[1])
suffix = os.urandom(3).hex()
name, password = f"dan-{suffix}", "the password of dan"
client = MlflowClient()
auth = mlflow.server.get_app_client("basic-auth", URL)


def log_in(username=None, password=None, token=None):
    given = dict(USERNAME=username, PASSWORD=password, TOKEN=token)
    for key, value in given.items():
        os.environ.pop(f"MLFLOW_TRACKING_{key}", None)
        if value is not None:
            os.environ[f"MLFLOW_TRACKING_{key}"] = value


def user_of(user):
    return [user.username.replace(suffix, "x"), user.is_admin]


log_in(*admin)
users = dict(
    created=user_of(auth.create_user(name, password)),
    taken=error_of(auth.create_user, name, password),
    short=error_of(auth.create_user, f"eve-{suffix}", "short"),
    got=user_of(auth.get_user(name)),
    unknown=error_of(auth.get_user, f"nobody-{suffix}"),
)
auth.update_user_admin(name, True)
users["admin"] = user_of(auth.get_user(name))
auth.update_user_admin(name, False)
users["no_admin"] = user_of(auth.get_user(name))
auth.update_user_password(name, "another password of dan")
log_in(name, password)
users["old_password"] = error_of(auth.get_user, name)
log_in(name, "another password of dan")
users["new_password"] = user_of(auth.get_user(name))
users["another_one"] = error_of(auth.get_user, admin[0])
users["not_for_users"] = error_of(auth.create_user, f"eve-{suffix}", password)
password = "another password of dan"

# A key in place of the password: as a bearer token, and where only a name and a password can be given.
made = requests.post(f"{URL}/console/api/me/keys", json={"name": "laptop"}, auth=(name, password), timeout=30)
key = made.json()["key"]
log_in(token=key)
by_key = dict(bearer=user_of(auth.get_user(name)), search=error_of(client.search_experiments))
log_in(name, key)
by_key["as_password"] = error_of(client.search_experiments)
requests.delete(f"{URL}/console/api/me/keys/laptop", auth=(name, password), timeout=30)
log_in(token=key)
by_key["deleted"] = error_of(client.search_experiments)
log_in(token="plinth_none")
by_key["none"] = error_of(client.search_experiments)

log_in(name, password)
experiment = client.create_experiment(f"of dan {suffix}")
client.create_registered_model(f"of dan {suffix}")
log_in(*admin)
auth.create_user(f"eve-{suffix}", "the password of eve")
eve = f"eve-{suffix}"
model = f"of dan {suffix}"
permissions = {}


def shown(permission):
    return [getattr(permission, "experiment_id", None) == experiment, permission.permission]


if mlflow.__version__.startswith("2."):
    log_in(name, password)
    for label, what, of in (("experiment", "experiment", experiment), ("model", "registered_model", model)):
        call = lambda verb, *args: getattr(auth, f"{verb}_{what}_permission")(of, *args)
        created = call("create", eve, "READ").permission
        taken = error_of(call, "create", eve, "EDIT")
        call("update", eve, "NO_PERMISSIONS")
        got = call("get", eve).permission
        call("delete", eve)
        permissions[label] = [created, taken, got, error_of(call, "get", eve), call("get", name).permission]
    granted = auth.get_user(name)
    permissions["of_the_user"] = [
        [(one.experiment_id == experiment, one.permission) for one in granted.experiment_permissions],
        [(one.name == model, one.permission) for one in granted.registered_model_permissions],
    ]
    roles = None
else:
    log_in(name, password)
    for label, what, of in (("experiment", "experiment", experiment), ("model", "registered_model", model)):
        auth.grant_user_permission(eve, what, of, "EDIT")
        taken = error_of(auth.grant_user_permission, eve, what, of, "READ")
        log_in(eve, "the password of eve")
        got = auth.get_user_permission(eve, what, of)
        log_in(name, password)
        auth.revoke_user_permission(eve, what, of)
        gone = error_of(auth.revoke_user_permission, eve, what, of)
        mine = auth.get_user_permission(name, what, of)
        permissions[label] = [taken, [got.allowed, got.permission], gone, mine.permission]
    log_in(*admin)
    role = auth.create_role("default", f"readers {suffix}", "reads")
    grant = auth.add_role_permission(role.id, "experiment", "*", "READ")
    auth.add_role_permission(role.id, "experiment", experiment, "DENY")
    assigned = auth.assign_role(eve, role.id)
    log_in(eve, "the password of eve")
    denied = error_of(client.get_experiment, experiment)
    others = error_of(client.get_experiment, "0")
    hidden = [one.name for one in client.search_experiments() if one.experiment_id == experiment]
    log_in(*admin)
    changed = auth.update_role(role.id, name=f"members {suffix}")
    roles = dict(
        made=[role.workspace, role.description, role.permissions],
        denied=denied,
        others=others,
        hidden=hidden,
        permissions=sorted(one.permission for one in auth.list_role_permissions(role.id)),
        updated=auth.update_role_permission(grant.id, "EDIT").permission,
        holders=[one.id == assigned.id for one in auth.list_role_users(role.id)],
        # Beside the role of what was granted directly.
        of_user=[one.name.replace(suffix, "x") for one in auth.list_user_roles(eve) if not one.name.startswith("__")],
        renamed=[changed.name.replace(suffix, "x"), auth.get_role(role.id).description],
        listed=[
            sorted(one.name for one in found if one.name in ("viewer", "editor", "admin") or one.id == role.id)
            for found in (auth.list_roles("default"), [one for one in auth.list_all_roles() if one.workspace == "default"])
        ],
        taken=error_of(auth.create_role, "default", f"members {suffix}"),
    )
    roles["listed"] = [[one.replace(suffix, "x") for one in names] for names in roles["listed"]]
    auth.remove_role_permission(grant.id)
    roles["left"] = [one.permission for one in auth.get_role(role.id).permissions]
    auth.unassign_role(eve, role.id)
    roles["unassigned"] = len(auth.list_role_users(role.id))
    auth.delete_role(role.id)
    roles["deleted"] = error_of(auth.get_role, role.id)

log_in(*admin)
auth.delete_user(name)
log_in(name, password)
users["deleted"] = error_of(client.search_experiments)
observe(users=users, by_key=by_key, permissions=permissions, roles=roles)
