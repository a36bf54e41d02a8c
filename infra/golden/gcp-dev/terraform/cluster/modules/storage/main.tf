resource "google_storage_bucket" "artifacts" {
  name                        = "acme-mlops-dev-acme-dev-artifacts"
  location                    = "EUROPE-WEST1"
  storage_class               = "STANDARD"
  force_destroy               = false
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = 2592000
  }

  # Replaced and deleted objects stay for a while, then go for good.
  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      days_since_noncurrent_time = 30
      with_state                 = "ARCHIVED"
    }
  }

  # Replaced and deleted objects stay for a while, then go for good.
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }

    condition {
      age = 7
    }
  }
}

resource "google_storage_hmac_key" "tracking" {
  service_account_email = var.tracking_service_account
}
