"""The real client on an open server: without any login, and with one for which it waits for nobody."""

import json
import sys
import webbrowser

URL = sys.argv[1]
webbrowser.open = lambda *_, **__: True

from zenml.cli.login import web_login  # noqa: E402
from zenml.zen_stores.rest_zen_store import RestZenStore, RestZenStoreConfiguration  # noqa: E402


def me():
    config = RestZenStoreConfiguration(url=URL)
    user = RestZenStore(config=config, skip_default_registrations=True).get_user()
    return [user.name, user.is_admin]


seen = {"without": me()}
seen["expires_in"] = web_login(url=URL).expires_in
seen["with"] = me()
print("OBSERVED " + json.dumps(seen))
