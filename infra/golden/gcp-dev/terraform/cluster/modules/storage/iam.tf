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
