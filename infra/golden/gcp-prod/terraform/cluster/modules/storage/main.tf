resource "google_storage_bucket" "artifacts" {
  name                        = "acme-mlops-prod-acme-prod-artifacts"
  location                    = "EU"
  storage_class               = "STANDARD"
  force_destroy               = false
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Every object is in both regions.
  custom_placement_config {
    data_locations = ["EUROPE-WEST1", "EUROPE-WEST4"]
  }

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = 2592000
  }

  encryption {
    default_kms_key_name = var.storage_key
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

resource "google_storage_bucket" "models" {
  name                        = "acme-mlops-prod-acme-prod-models"
  location                    = "EU"
  storage_class               = "STANDARD"
  force_destroy               = false
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Every object is in both regions.
  custom_placement_config {
    data_locations = ["EUROPE-WEST1", "EUROPE-WEST4"]
  }

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = 2592000
  }

  encryption {
    default_kms_key_name = var.storage_key
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

resource "google_storage_bucket" "backups" {
  name                        = "acme-mlops-prod-acme-prod-backups"
  location                    = "EU"
  storage_class               = "STANDARD"
  force_destroy               = false
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Every object is in both regions.
  custom_placement_config {
    data_locations = ["EUROPE-WEST1", "EUROPE-WEST4"]
  }

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = 2592000
  }

  encryption {
    default_kms_key_name = var.storage_key
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
