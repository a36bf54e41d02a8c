# Who answers for what is registered here.
locals {
  labels = {
    platform    = "acme"
    environment = "dev"
    owner       = "ml-platform"
    managed-by  = "terraform"
  }
}

# Keys of the bucket of artifacts, in ZenML's own secret store.
resource "zenml_secret" "object_store" {
  name = "object-store"

  values = {
    aws_access_key_id     = var.object_store_access_key_id
    aws_secret_access_key = var.object_store_secret_access_key
  }
}

# MLflow's server asks for no login within the cluster, but ZenML refuses an address without a token.
resource "zenml_secret" "tracking" {
  name = "tracking"

  values = {
    token = "none"
  }
}

# The end of the name changes with whatever cannot be changed in place: what is made anew stands beside the old
# one until no stack uses that any more.
resource "zenml_stack_component" "artifacts" {
  name   = "artifacts-0f21a8"
  type   = "artifact_store"
  flavor = "s3"

  configuration = {
    path                  = "s3://artifacts/zenml"
    authentication_secret = zenml_secret.object_store.name
    client_kwargs = jsonencode({
      endpoint_url = "http://minio.object-store.svc.cluster.local:9000"
      region_name  = "us-east-1"
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
    tracking_uri   = "http://mlflow.tracking.svc.cluster.local:5000"
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
