# What stage `cluster` made.
data "terraform_remote_state" "cluster" {
  backend = "s3"

  config = {
    bucket       = "acme-terraform-state"
    key          = "acme/prod/cluster.tfstate"
    region       = "LON1"
    use_lockfile = true
    endpoints = {
      s3 = "https://objectstore.lon1.civo.com"
    }
    use_path_style              = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_requesting_account_id  = true
    skip_s3_checksum            = true
  }
}

# Who answers for what is registered here.
locals {
  labels = {
    cost-center = "4711"
    platform    = "acme"
    environment = "prod"
    owner       = "ml-platform"
    managed-by  = "terraform"
  }
}

# Keys of the bucket of artifacts, in ZenML's own secret store.
resource "zenml_secret" "object_store" {
  name = "object-store"

  values = {
    aws_access_key_id     = data.terraform_remote_state.cluster.outputs.secrets["acme-prod-tracking-object-store-id"]
    aws_secret_access_key = data.terraform_remote_state.cluster.outputs.secrets["acme-prod-tracking-object-store-secret"]
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
resource "zenml_stack_component" "artifacts" {
  name   = "artifacts-0f21a8"
  type   = "artifact_store"
  flavor = "s3"

  configuration = {
    path                  = "s3://acme-prod-artifacts/zenml"
    authentication_secret = zenml_secret.object_store.name
    client_kwargs = jsonencode({
      endpoint_url = "https://objectstore.lon1.civo.com"
      region_name  = "lon1"
    })
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
    kubernetes_context   = var.kube_context
    kubernetes_namespace = "zenml"
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
  name   = "images-961fe4"
  type   = "container_registry"
  flavor = "default"

  configuration = {
    uri = var.container_registry_uri
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

resource "zenml_stack" "acme_prod" {
  name = "acme-prod"

  components = {
    artifact_store     = zenml_stack_component.artifacts.id
    orchestrator       = zenml_stack_component.kubernetes.id
    experiment_tracker = zenml_stack_component.tracking.id
    container_registry = zenml_stack_component.images.id
    image_builder      = zenml_stack_component.docker.id
  }

  labels = local.labels
}
