# Argo CD takes them over, with the labels of their manifests.
resource "kubernetes_namespace_v1" "component" {
  for_each = toset(["models", "tracking", "zenml"])

  metadata {
    name = each.value
  }

  lifecycle {
    ignore_changes = [metadata[0].annotations, metadata[0].labels]
  }
}

# What stage cluster knows. It is read into this state too, which is as secret as that one. The revision is a
# number made of all values: write-only arguments are written again only when it changes.
locals {
  secrets          = data.terraform_remote_state.cluster.outputs.secrets
  secrets_revision = parseint(substr(sha256(jsonencode(local.secrets)), 0, 7), 16) + 1
}

# How plinth reaches the bucket of artifacts.
resource "kubernetes_secret_v1" "tracking_object_store" {
  type = "Opaque"

  data_wo = {
    PLINTH_S3_ACCESS_KEY_ID     = local.secrets["acme-prod-tracking-object-store-id"]
    PLINTH_S3_SECRET_ACCESS_KEY = local.secrets["acme-prod-tracking-object-store-secret"]
  }

  data_wo_revision = local.secrets_revision

  metadata {
    name      = "object-store"
    namespace = kubernetes_namespace_v1.component["tracking"].metadata[0].name

    labels = {
      "app.kubernetes.io/part-of"    = "acme"
      "app.kubernetes.io/managed-by" = "plinth"
    }
  }
}

# How KServe's storage initializer reads models.
resource "kubernetes_secret_v1" "models_model_storage" {
  type = "Opaque"

  data_wo = {
    AWS_ACCESS_KEY_ID     = local.secrets["acme-prod-models-object-store-id"]
    AWS_SECRET_ACCESS_KEY = local.secrets["acme-prod-models-object-store-secret"]
  }

  data_wo_revision = local.secrets_revision

  metadata {
    name      = "model-storage"
    namespace = kubernetes_namespace_v1.component["models"].metadata[0].name

    labels = {
      "app.kubernetes.io/part-of"    = "acme"
      "app.kubernetes.io/managed-by" = "plinth"
    }

    annotations = {
      "serving.kserve.io/s3-endpoint"          = "objectstore.lon1.civo.com"
      "serving.kserve.io/s3-usehttps"          = "1"
      "serving.kserve.io/s3-region"            = "lon1"
      "serving.kserve.io/s3-useanoncredential" = "false"
    }
  }
}

# Where tracking-pg writes its backups.
resource "kubernetes_secret_v1" "tracking_tracking_pg_backup" {
  type = "Opaque"

  data_wo = {
    ACCESS_KEY_ID     = local.secrets["acme-prod-backups-object-store-id"]
    ACCESS_SECRET_KEY = local.secrets["acme-prod-backups-object-store-secret"]
  }

  data_wo_revision = local.secrets_revision

  metadata {
    name      = "tracking-pg-backup"
    namespace = kubernetes_namespace_v1.component["tracking"].metadata[0].name

    labels = {
      "app.kubernetes.io/part-of"    = "acme"
      "app.kubernetes.io/managed-by" = "plinth"
    }
  }
}

# How zenml reaches its database.
resource "kubernetes_secret_v1" "zenml_zenml_database" {
  type = "Opaque"

  data_wo = {
    username = local.secrets["acme-prod-zenml-database-username"]
    password = local.secrets["acme-prod-zenml-database"]
  }

  data_wo_revision = local.secrets_revision

  metadata {
    name      = "zenml-database"
    namespace = kubernetes_namespace_v1.component["zenml"].metadata[0].name

    labels = {
      "app.kubernetes.io/part-of"    = "acme"
      "app.kubernetes.io/managed-by" = "plinth"
    }
  }
}
