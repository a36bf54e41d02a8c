# Password of Plinth's first administrator, admin.
resource "google_secret_manager_secret" "plinth_admin" {
  secret_id           = "acme-dev-plinth-admin"
  deletion_protection = false

  replication {
    auto {}
  }
}

ephemeral "random_password" "plinth_admin" {
  length  = 40
  special = false
}

resource "google_secret_manager_secret_version" "plinth_admin" {
  secret                 = google_secret_manager_secret.plinth_admin.id
  secret_data_wo         = ephemeral.random_password.plinth_admin.result
  secret_data_wo_version = lookup(var.secret_versions, "acme-dev-plinth-admin", 1)

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "plinth_admin_tracking" {
  secret_id = google_secret_manager_secret.plinth_admin.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.workload_pool}/subject/ns/tracking/sa/secret-reader"
}

# Key that Plinth encrypts stored secrets with, 32 bytes in hexadecimal.
resource "google_secret_manager_secret" "plinth_encryption" {
  secret_id           = "acme-dev-plinth-encryption"
  deletion_protection = false

  replication {
    auto {}
  }
}

ephemeral "random_bytes" "plinth_encryption" {
  length = 32
}

resource "google_secret_manager_secret_version" "plinth_encryption" {
  secret         = google_secret_manager_secret.plinth_encryption.id
  secret_data_wo = ephemeral.random_bytes.plinth_encryption.hex
  # Never raised: what is encrypted with this key could not be read any more.
  secret_data_wo_version = 1
}

resource "google_secret_manager_secret_iam_member" "plinth_encryption_tracking" {
  secret_id = google_secret_manager_secret.plinth_encryption.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.workload_pool}/subject/ns/tracking/sa/secret-reader"
}

# Password of the database user plinth.
resource "google_secret_manager_secret" "tracking_database" {
  secret_id           = "acme-dev-tracking-database"
  deletion_protection = false

  replication {
    auto {}
  }
}

ephemeral "random_password" "tracking_database" {
  length  = 40
  special = false
}

resource "google_secret_manager_secret_version" "tracking_database" {
  secret                 = google_secret_manager_secret.tracking_database.id
  secret_data_wo         = ephemeral.random_password.tracking_database.result
  secret_data_wo_version = lookup(var.secret_versions, "acme-dev-tracking-database", 1)

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "tracking_database_tracking" {
  secret_id = google_secret_manager_secret.tracking_database.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.workload_pool}/subject/ns/tracking/sa/secret-reader"
}

# Certificate authority of the database server.
resource "google_secret_manager_secret" "tracking_database_ca" {
  secret_id           = "acme-dev-tracking-database-ca"
  deletion_protection = false

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "tracking_database_ca" {
  secret         = google_secret_manager_secret.tracking_database_ca.id
  secret_data_wo = var.tracking_database_ca
  # Follows the value: write-only arguments are sent again only when their number changes.
  secret_data_wo_version = parseint(substr(sha256(nonsensitive(var.tracking_database_ca)), 0, 7), 16) + 1

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "tracking_database_ca_tracking" {
  secret_id = google_secret_manager_secret.tracking_database_ca.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.workload_pool}/subject/ns/tracking/sa/secret-reader"
}

# Access key id of tracking in the object store.
resource "google_secret_manager_secret" "tracking_object_store_id" {
  secret_id           = "acme-dev-tracking-object-store-id"
  deletion_protection = false

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "tracking_object_store_id" {
  secret         = google_secret_manager_secret.tracking_object_store_id.id
  secret_data_wo = var.tracking_object_store_id
  # Follows the value: write-only arguments are sent again only when their number changes.
  secret_data_wo_version = parseint(substr(sha256(nonsensitive(var.tracking_object_store_id)), 0, 7), 16) + 1

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "tracking_object_store_id_tracking" {
  secret_id = google_secret_manager_secret.tracking_object_store_id.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.workload_pool}/subject/ns/tracking/sa/secret-reader"
}

# Secret access key of tracking in the object store.
resource "google_secret_manager_secret" "tracking_object_store_secret" {
  secret_id           = "acme-dev-tracking-object-store-secret"
  deletion_protection = false

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "tracking_object_store_secret" {
  secret         = google_secret_manager_secret.tracking_object_store_secret.id
  secret_data_wo = var.tracking_object_store_secret
  # Follows the value: write-only arguments are sent again only when their number changes.
  secret_data_wo_version = parseint(substr(sha256(nonsensitive(var.tracking_object_store_secret)), 0, 7), 16) + 1

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "tracking_object_store_secret_tracking" {
  secret_id = google_secret_manager_secret.tracking_object_store_secret.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.workload_pool}/subject/ns/tracking/sa/secret-reader"
}

# Password of the database user zenml.
resource "google_secret_manager_secret" "zenml_database" {
  secret_id           = "acme-dev-zenml-database"
  deletion_protection = false

  replication {
    auto {}
  }
}

ephemeral "random_password" "zenml_database" {
  length  = 40
  special = false
}

resource "google_secret_manager_secret_version" "zenml_database" {
  secret                 = google_secret_manager_secret.zenml_database.id
  secret_data_wo         = ephemeral.random_password.zenml_database.result
  secret_data_wo_version = lookup(var.secret_versions, "acme-dev-zenml-database", 1)

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "zenml_database_zenml" {
  secret_id = google_secret_manager_secret.zenml_database.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.workload_pool}/subject/ns/zenml/sa/secret-reader"
}

# Certificate authority of the database server.
resource "google_secret_manager_secret" "zenml_database_ca" {
  secret_id           = "acme-dev-zenml-database-ca"
  deletion_protection = false

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "zenml_database_ca" {
  secret         = google_secret_manager_secret.zenml_database_ca.id
  secret_data_wo = var.zenml_database_ca
  # Follows the value: write-only arguments are sent again only when their number changes.
  secret_data_wo_version = parseint(substr(sha256(nonsensitive(var.zenml_database_ca)), 0, 7), 16) + 1

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "zenml_database_ca_zenml" {
  secret_id = google_secret_manager_secret.zenml_database_ca.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.workload_pool}/subject/ns/zenml/sa/secret-reader"
}

# Key that ZenML encrypts its secrets with.
resource "google_secret_manager_secret" "zenml_encryption" {
  secret_id           = "acme-dev-zenml-encryption"
  deletion_protection = false

  replication {
    auto {}
  }
}

ephemeral "random_bytes" "zenml_encryption" {
  length = 32
}

resource "google_secret_manager_secret_version" "zenml_encryption" {
  secret         = google_secret_manager_secret.zenml_encryption.id
  secret_data_wo = ephemeral.random_bytes.zenml_encryption.hex
  # Never raised: what is encrypted with this key could not be read any more.
  secret_data_wo_version = 1
}

resource "google_secret_manager_secret_iam_member" "zenml_encryption_zenml" {
  secret_id = google_secret_manager_secret.zenml_encryption.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.workload_pool}/subject/ns/zenml/sa/secret-reader"
}

# Key that ZenML signs its tokens with.
resource "google_secret_manager_secret" "zenml_jwt" {
  secret_id           = "acme-dev-zenml-jwt"
  deletion_protection = false

  replication {
    auto {}
  }
}

ephemeral "random_password" "zenml_jwt" {
  length  = 40
  special = false
}

resource "google_secret_manager_secret_version" "zenml_jwt" {
  secret                 = google_secret_manager_secret.zenml_jwt.id
  secret_data_wo         = ephemeral.random_password.zenml_jwt.result
  secret_data_wo_version = lookup(var.secret_versions, "acme-dev-zenml-jwt", 1)

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "zenml_jwt_zenml" {
  secret_id = google_secret_manager_secret.zenml_jwt.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.workload_pool}/subject/ns/zenml/sa/secret-reader"
}

# Password of ZenML's first administrator: given by a person, see the output `secret_commands`.
resource "google_secret_manager_secret" "given_zenml_admin" {
  secret_id           = "zenml-admin"
  deletion_protection = false

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_iam_member" "given_zenml_admin_zenml" {
  secret_id = google_secret_manager_secret.given_zenml_admin.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.workload_pool}/subject/ns/zenml/sa/secret-reader"
}
