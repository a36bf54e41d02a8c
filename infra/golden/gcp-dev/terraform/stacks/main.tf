# What stage `cluster` made.
data "terraform_remote_state" "cluster" {
  backend = "gcs"

  config = {
    bucket = "acme-mlops-dev-terraform-state"
    prefix = "acme/dev/cluster"
  }
}

# Who answers for what is registered here.
locals {
  labels = {
    cost-center = "4711"
    platform    = "acme"
    environment = "dev"
    owner       = "ml-platform"
    managed-by  = "terraform"
  }
}

# Key of a service account of Plinth, in ZenML's own secret store.
resource "zenml_secret" "tracking" {
  name = "tracking"

  values = {
    token = var.tracking_token
  }
}

# The end of the name changes with whatever cannot be changed in place: what is made anew stands beside the old
# one until no stack uses that any more.
# Steps reach the bucket by Workload Identity, people as themselves: there is no key.
resource "zenml_stack_component" "artifacts" {
  name   = "artifacts-983f6c"
  type   = "artifact_store"
  flavor = "gcp"

  configuration = {
    path = "gs://acme-mlops-dev-acme-dev-artifacts/zenml"
  }

  labels = local.labels

  lifecycle {
    create_before_destroy = true
  }
}

# Steps run as pods of ZenML's namespace, which admits none that is root or names no resources. A step that
# needs more says so in its settings.
resource "zenml_stack_component" "kubernetes" {
  name   = "kubernetes-1d92d2"
  type   = "orchestrator"
  flavor = "kubernetes"

  configuration = {
    kubernetes_context            = var.kube_context
    kubernetes_namespace          = "zenml"
    step_pod_service_account_name = "zenml"
    pod_settings = jsonencode({
      container_security_context = {
        allowPrivilegeEscalation = false
        capabilities = {
          drop = ["ALL"]
        }
        runAsNonRoot = true
        runAsUser    = 1000
        seccompProfile = {
          type = "RuntimeDefault"
        }
      }
      resources = {
        requests = {
          cpu    = "500m"
          memory = "1Gi"
        }
        limits = {
          memory = "4Gi"
        }
      }
    })
    orchestrator_pod_settings = jsonencode({
      container_security_context = {
        allowPrivilegeEscalation = false
        capabilities = {
          drop = ["ALL"]
        }
        runAsNonRoot = true
        runAsUser    = 1000
        seccompProfile = {
          type = "RuntimeDefault"
        }
      }
      resources = {
        requests = {
          cpu    = "100m"
          memory = "512Mi"
        }
        limits = {
          memory = "1Gi"
        }
      }
    })
  }

  labels = local.labels

  lifecycle {
    create_before_destroy = true
  }
}

resource "zenml_stack_component" "tracking" {
  name   = "tracking-6990cd"
  type   = "experiment_tracker"
  flavor = "mlflow"

  configuration = {
    tracking_uri   = "http://plinth.tracking.svc.cluster.local:5000"
    tracking_token = "{{${zenml_secret.tracking.name}.token}}"
  }

  labels = local.labels

  lifecycle {
    create_before_destroy = true
  }
}

resource "zenml_stack_component" "images" {
  name   = "images-2f1824"
  type   = "container_registry"
  flavor = "gcp"

  configuration = {
    uri = data.terraform_remote_state.cluster.outputs.registry
  }

  labels = local.labels

  lifecycle {
    create_before_destroy = true
  }
}

# Images are built where pipelines are started, by Docker.
resource "zenml_stack_component" "docker" {
  name   = "docker-d90334"
  type   = "image_builder"
  flavor = "local"
  labels = local.labels

  lifecycle {
    create_before_destroy = true
  }
}

resource "zenml_stack" "acme_dev" {
  name = "acme-dev"

  components = {
    artifact_store     = zenml_stack_component.artifacts.id
    orchestrator       = zenml_stack_component.kubernetes.id
    experiment_tracker = zenml_stack_component.tracking.id
    container_registry = zenml_stack_component.images.id
    image_builder      = zenml_stack_component.docker.id
  }

  labels = local.labels
}
