"""What the server shows of logs, asked as the dashboard asks."""

import os

import requests

import zenml


def reader(url):
    """Asks the server with a token of the one who is named in the environment."""
    token = requests.post(
        f"{url}/api/v1/login",
        data={
            "username": os.environ["ZENML_STORE_USERNAME"],
            "password": os.environ["ZENML_STORE_PASSWORD"],
        },
    ).json()["access_token"]
    headers = {
        "Authorization": f"Bearer {token}",
        "User-Agent": f"zenml/{zenml.__version__}",
    }

    def get(path, **params):
        answer = requests.get(f"{url}/api/v1{path}", params=params, headers=headers)
        return answer.json() if answer.status_code == 200 else [answer.status_code, answer.text]

    get.headers = headers
    return get


def messages(page):
    return [entry["message"] for entry in page["items"]] if isinstance(page, dict) else page


def pages_of(get, logs_id):
    """All lines, page by page from the end, and what a few questions find."""
    found, before = [], None
    while True:
        params = {"before": before} if before else {"start": "newest"}
        page = get(f"/logs/{logs_id}/entries", limit=64, **params)
        found = messages(page) + found
        before = page["before"]
        if before is None:
            break
    said = [line for line in found if line.startswith("line ")]
    errors = messages(get(f"/logs/{logs_id}/entries", level="error"))
    searched = messages(get(f"/logs/{logs_id}/entries", search="LINE 217 OF"))
    return [
        said == [f"line {at} of the step" for at in range(300)],
        any("something went wrong" in line for line in errors),
        searched,
    ]
