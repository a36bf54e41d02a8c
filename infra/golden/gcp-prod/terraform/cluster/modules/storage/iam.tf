resource "google_storage_bucket_iam_member" "artifacts_tracking" {
  bucket = google_storage_bucket.artifacts.name
  role   = "roles/storage.objectUser"
  member = "serviceAccount:${var.tracking_service_account}"
}

resource "google_storage_bucket_iam_member" "artifacts_zenml" {
  bucket = google_storage_bucket.artifacts.name
  role   = "roles/storage.objectUser"
  member = "serviceAccount:${var.zenml_service_account}"
}

resource "google_storage_bucket_iam_member" "models_zenml" {
  bucket = google_storage_bucket.models.name
  role   = "roles/storage.objectUser"
  member = "serviceAccount:${var.zenml_service_account}"
}

resource "google_storage_bucket_iam_member" "models_models" {
  bucket = google_storage_bucket.models.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${var.models_service_account}"
}

resource "google_storage_bucket_iam_member" "backups_tracking_instance" {
  bucket = google_storage_bucket.backups.name
  role   = "roles/storage.objectUser"
  member = "serviceAccount:${var.tracking_instance_account}"
}

resource "google_storage_bucket_iam_member" "backups_zenml_instance" {
  bucket = google_storage_bucket.backups.name
  role   = "roles/storage.objectUser"
  member = "serviceAccount:${var.zenml_instance_account}"
}
