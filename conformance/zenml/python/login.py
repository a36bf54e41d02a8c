"""Logs the real client in by password, API key, device and token, and keeps users, accounts and keys with it."""

import json
import os
import sys
import threading
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlparse
from uuid import uuid4

import requests

URL = sys.argv[1]
ADMIN, PASSWORD = os.environ["ADMIN_NAME"], os.environ["ADMIN_PASSWORD"]

exchanges = []
send = requests.Session.send


def record(self, request, **options):
    response = send(self, request, **options)
    path = urlparse(request.url).path.removeprefix("/api/v1")
    body = request.body.decode() if isinstance(request.body, bytes) else request.body
    grant = parse_qs(body or "").get("grant_type", [""])[0] if path == "/login" else ""
    exchanges.append(" ".join(filter(None, [request.method, path, grant, str(response.status_code)])))
    return response


requests.Session.send = record

import webbrowser  # noqa: E402

import zenml  # noqa: E402
from zenml.exceptions import CredentialsNotValid, EntityExistsError, IllegalOperationError  # noqa: E402
from zenml.login.credentials_store import get_credentials_store  # noqa: E402
from zenml.cli.login import web_login  # noqa: E402
from zenml.models import (  # noqa: E402
    APIKeyFilter,
    APIKeyRequest,
    APIKeyRotateRequest,
    APIKeyUpdate,
    OAuthDeviceFilter,
    OAuthDeviceUpdate,
    ProjectFilter,
    ServiceAccountFilter,
    ServiceAccountRequest,
    ServiceAccountUpdate,
    StackFilter,
    TagFilter,
    UserFilter,
    UserRequest,
    UserUpdate,
)
from zenml.enums import APITokenType  # noqa: E402
from zenml.zen_stores.rest_zen_store import RestZenStore, RestZenStoreConfiguration  # noqa: E402

seen = {"version": zenml.__version__}
credentials = get_credentials_store()


def store():
    return RestZenStore(config=RestZenStoreConfiguration(url=URL), skip_default_registrations=True)


def fresh(**login):
    """A client as a new process has it, with nothing but these credentials."""
    credentials.clear_credentials(URL)
    if "key" in login:
        credentials.set_api_key(URL, login["key"])
    elif "name" in login:
        credentials.set_password(URL, login["name"], login["password"])
    elif "token" in login:
        credentials.set_bare_token(URL, login["token"])
    exchanges.clear()
    return store()


def told(work):
    """The exception that the client makes of an answer."""
    try:
        work()
    except Exception as error:
        return [type(error).__name__, str(error)]
    return None


# By password, as an administrator who makes users and accounts.
admin = fresh(name=ADMIN, password=PASSWORD)
me = admin.get_user()
seen["password"] = {
    "exchanges": list(exchanges),
    "me": [me.name, me.is_admin, me.is_service_account, me.active],
    "version": admin.get_store_info().version,
    "server": str(admin.get_store_info().id),
    "expires_in": credentials.get_token(URL).expires_in,
}

def name_of(what):
    return f"{what}-{uuid4().hex[:8]}"


user_name, user_password = name_of("user"), "a password of a user"
user = admin.create_user(UserRequest(name=user_name, password=user_password, is_admin=False, active=True))
invited = admin.create_user(UserRequest(name=name_of("invited"), is_admin=False))
found = admin.list_users(UserFilter(name=f"equals:{user_name}"), hydrate=True)
updated = admin.update_user(user.id, UserUpdate(full_name="A User"))
seen["users"] = {
    "created": [user.name == user_name, user.is_admin, user.active],
    "invited": [invited.active, len(invited.activation_token or "") >= 32],
    "found": [found.total, found.items[0].id == user.id],
    "updated": updated.full_name,
    "not_theirs": told(lambda: admin.update_user(user.id, UserUpdate(email="user@example.com"))),
    "again": told(lambda: admin.create_user(UserRequest(name=user_name, password=user_password, is_admin=False))),
    "missing": told(lambda: admin.get_user(uuid4())),
    "weak": told(lambda: admin.create_user(UserRequest(name=name_of("weak"), password="x", is_admin=False))),
}

account = admin.create_service_account(
    ServiceAccountRequest(name=name_of("account"), description="builds", active=True)
)
key = admin.create_api_key(account.id, APIKeyRequest(name="default", description="a key"))
listed = admin.list_service_accounts(ServiceAccountFilter(name=f"equals:{account.name}"), hydrate=True)
keys = admin.list_api_keys(account.id, APIKeyFilter(), hydrate=True)
seen["accounts"] = {
    "listed": [listed.total, listed.items[0].id == account.id, listed.items[0].description],
    "key": key.key.startswith("ZENKEY_"),
    "keys": [keys.total, keys.items[0].name, keys.items[0].key, keys.items[0].service_account.id == account.id],
}

# By API key, as somebody who is no administrator.
robot = fresh(key=key.key)
whoami = robot.get_user()
seen["api_key"] = {
    "exchanges": list(exchanges),
    "me": [whoami.id == account.id, whoami.is_admin, whoami.is_service_account],
    "expires_in": credentials.get_token(URL).expires_in,
    "forbidden": told(lambda: robot.create_user(UserRequest(name="x", is_admin=True))),
}
# Without a role there is what every server has, and clients end where there is no stack.
seen["no_role"] = {
    "stacks": [stack.name for stack in robot.list_stacks(StackFilter()).items],
    "active": [thing and thing.name for thing in robot.validate_active_config()],
    "projects": robot.list_projects(ProjectFilter()).total,
    "tags": robot.list_tags(TagFilter()).total,
}
# The next process finds the token where the last one left it.
exchanges.clear()
store().get_user()
seen["api_key"]["next_process"] = list(exchanges)
# A token that has ended by its own word is asked for anew, and so is one that the server refuses.
token = credentials.get_token(URL)
token.expires_at -= timedelta(hours=2)
exchanges.clear()
again = store()
again.get_user()
seen["api_key"]["ended"] = [exchange for exchange in exchanges if exchange.startswith("POST")]
again._api_token.access_token = again._api_token.access_token[:-4] + "AAAA"
again._session.headers["Authorization"] = "Bearer " + again._api_token.access_token
exchanges.clear()
again.get_user()
seen["api_key"]["refused"] = list(exchanges)

# Rotated with a grace: both secrets log in; without one, the old one and its tokens are refused.
admin = fresh(name=ADMIN, password=PASSWORD)
kept = admin.rotate_api_key(account.id, "default", APIKeyRotateRequest(retain_period_minutes=5))
seen["rotation"] = {"grace": [fresh(key=one).get_user().name == account.name for one in (key.key, kept.key)]}
admin = fresh(name=ADMIN, password=PASSWORD)
last = admin.rotate_api_key(account.id, "default", APIKeyRotateRequest(retain_period_minutes=0))
seen["rotation"]["old"] = told(lambda: fresh(key=kept.key).get_user())[0]
robot = fresh(key=last.key)
robot.get_user()

# A key that is taken away ends the tokens that were made with it.
header = {"Authorization": f"Bearer {credentials.get_token(URL).access_token}"}
admin = fresh(name=ADMIN, password=PASSWORD)
admin.update_api_key(account.id, "default", APIKeyUpdate(active=False))
refused = requests.get(f"{URL}/api/v1/current-user", headers=header)
seen["revoked"] = {
    "token": [refused.status_code, refused.json()["detail"][0]],
    "key": told(lambda: fresh(key=last.key).get_user())[0],
}

# By device: a person opens the page in a browser, and lets the command line in while it waits.
opened = []


def approve(address):
    query = parse_qs(urlparse(address).query)
    body = {"user_code": query["user_code"][0], "trusted_device": False}
    path = f"{URL}/api/v1/devices/{query['device_id'][0]}/verify"
    requests.put(path, json=body, auth=(user_name, user_password)).raise_for_status()


def open_page(address, *_, **__):
    opened.append(address)
    threading.Timer(1, approve, [address]).start()
    return True


webbrowser.open = open_page
credentials.clear_credentials(URL)
exchanges.clear()
began = time.time()
device_token = web_login(url=URL)
logged_in = store()
person = logged_in.get_user()
devices = logged_in.list_authorized_devices(OAuthDeviceFilter(), hydrate=True)
seen["device"] = {
    "exchanges": [exchange for exchange in exchanges if "/verify" not in exchange],
    "opened": opened[0].startswith(f"{URL}/devices/verify?device_id="),
    "waited": time.time() - began >= 5,
    "me": person.id == user.id,
    "expires_in": device_token.expires_in,
    "devices": [[one.id == device_token.device_id, one.status.value, one.zenml_version] for one in devices.items],
}
admin = fresh(name=ADMIN, password=PASSWORD)
admin.update_authorized_device(device_token.device_id, OAuthDeviceUpdate(locked=True))
held = {"Authorization": f"Bearer {device_token.access_token}"}
seen["device"]["locked"] = requests.get(f"{URL}/api/v1/current-user", headers=held).status_code
admin.delete_authorized_device(device_token.device_id)

# By a token that was asked for.
someone = fresh(name=user_name, password=user_password)
asked = someone.get_api_token(token_type=APITokenType.GENERIC, expires_in=600)
seen["api_token"] = {
    "me": fresh(token=asked).get_user().name == user_name,
    "workload": told(lambda: fresh(name=user_name, password=user_password).get_api_token()),
}

# Who changes the password is logged out everywhere, and in with the new one alone.
someone = fresh(name=user_name, password=user_password)
someone.get_user()
header = {"Authorization": f"Bearer {credentials.get_token(URL).access_token}"}
new_password = "another password of a user"
answer = requests.put(
    f"{URL}/api/v1/current-user",
    headers=header,
    json={"password": new_password, "old_password": user_password},
)
seen["password_change"] = {
    "status": answer.status_code,
    "token": requests.get(f"{URL}/api/v1/current-user", headers=header).status_code,
    "old": told(lambda: fresh(name=user_name, password=user_password).get_user())[0],
    "new": fresh(name=user_name, password=new_password).get_user().name == user_name,
}

admin = fresh(name=ADMIN, password=PASSWORD)
admin.update_service_account(account.name, ServiceAccountUpdate(active=False))
admin.delete_api_key(account.id, "default")
admin.delete_service_account(account.id)
admin.delete_user(user.id)
admin.delete_user(invited.id)
seen["gone"] = [
    told(lambda: admin.get_service_account(account.id))[0],
    admin.list_users(UserFilter(name=f"equals:{user_name}")).total,
]
assert issubclass(CredentialsNotValid, Exception) and issubclass(IllegalOperationError, Exception)
assert issubclass(EntityExistsError, Exception)

print("OBSERVED " + json.dumps(seen))
