"""A flavor of somebody's own, as `zenml ... flavor register` takes it."""

import os

from zenml.orchestrators import BaseOrchestratorConfig, BaseOrchestratorFlavor
from zenml.orchestrators.local.local_orchestrator import LocalOrchestrator


class OwnConfig(BaseOrchestratorConfig):
    queue: str = "default"
    workers: int = 2


class OwnFlavor(BaseOrchestratorFlavor):
    @property
    def name(self):
        return os.environ["OWN_FLAVOR"]

    @property
    def config_class(self):
        return OwnConfig

    @property
    def implementation_class(self):
        return LocalOrchestrator
