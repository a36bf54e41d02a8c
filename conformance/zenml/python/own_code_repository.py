"""A code repository of one's own, which is nowhere: enough to be registered, and to find no code of its own here."""

from zenml.code_repositories import BaseCodeRepository


class OwnRepository(BaseCodeRepository):
    def login(self) -> None:
        pass

    def get_local_context(self, path):
        return None

    def download_files(self, commit, directory, repo_sub_directory) -> None:
        raise RuntimeError("there is nothing to download")
