"""Search of models and versions, page by page."""

from mlflow.tracking import MlflowClient

from flow import error_of, observe, unique

client = MlflowClient()
word = unique("search")
names = [f"{word} {letter}" for letter in "abcdefg"]
for index, name in enumerate(names):
    client.create_registered_model(name, tags={"parity": "even" if index % 2 == 0 else "odd"})
for index in range(12):
    client.create_model_version(names[index % 2], f"s3://bucket/{index}", tags={"index": str(index)})

own = f"name LIKE '{word}%'"


def pages(search, **more):
    found, token, count = [], None, 0
    while True:
        page = search(page_token=token, **more)
        found.extend(page)
        count += 1
        token = page.token
        if not token:
            return found, count


def last(models):
    return [one.name.split(" ")[-1] for one in models]


models, model_pages = pages(client.search_registered_models, filter_string=own, max_results=3)
versions, version_pages = pages(client.search_model_versions, filter_string=own, max_results=5)
observe(
    models=last(models),
    model_pages=model_pages,
    descending=last(client.search_registered_models(own, order_by=["name DESC"])),
    by_tag=last(client.search_registered_models(f"{own} AND tags.parity = 'odd'")),
    by_case=last(client.search_registered_models(f"name ILIKE '{word.upper()}%'")),
    latest=[[str(one.version) for one in model.latest_versions] for model in models[:3]],
    versions=len({(one.name, one.version) for one in versions}),
    version_pages=version_pages,
    of_one=[
        str(one.version)
        for one in client.search_model_versions(f"name = '{names[0]}'", order_by=["version_number ASC"])
    ],
    by_version_tag=[one.source for one in client.search_model_versions(f"{own} AND tags.index = '7'")],
    by_source=[one.source for one in client.search_model_versions(f"{own} AND source_path = 's3://bucket/3'")],
    by_number=len(client.search_model_versions(f"{own} AND version_number > 4")),
    bad=[
        error_of(client.search_registered_models, "colour = 'blue'"),
        error_of(client.search_model_versions, "colour = 'blue'"),
        error_of(client.search_registered_models, own, max_results=1001),
    ],
)
