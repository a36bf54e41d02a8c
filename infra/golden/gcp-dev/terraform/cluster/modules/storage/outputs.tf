output "artifacts_bucket" {
  description = "Name of the bucket of artifacts"
  value       = google_storage_bucket.artifacts.name
}

output "tracking_access_key_id" {
  description = "Id of the HMAC key that Plinth reaches its bucket with"
  value       = google_storage_hmac_key.tracking.access_id
  sensitive   = true
}

output "tracking_secret_access_key" {
  description = "Secret of that HMAC key"
  value       = google_storage_hmac_key.tracking.secret
  sensitive   = true
}

output "registry" {
  description = "What stands before the name of an image"
  value       = "europe-west1-docker.pkg.dev/acme-mlops-dev/acme-dev"

  depends_on = [google_artifact_registry_repository.images]
}
