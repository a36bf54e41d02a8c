output "cluster_key" {
  description = "Id of the key cluster, once Google's account may use it"
  value       = google_kms_crypto_key.cluster.id

  depends_on = [google_kms_crypto_key_iam_member.cluster]
}

output "storage_key" {
  description = "Id of the key storage, once Google's account may use it"
  value       = google_kms_crypto_key.storage.id

  depends_on = [google_kms_crypto_key_iam_member.storage]
}

output "node_service_account" {
  description = "E-mail of the service account: Nodes of acme-prod"
  value       = google_service_account.nodes.email
}

output "tracking_service_account" {
  description = "E-mail of the service account: plinth of acme-prod"
  value       = google_service_account.tracking.email
}

output "zenml_service_account" {
  description = "E-mail of the service account: ZenML of acme-prod"
  value       = google_service_account.zenml.email
}

output "models_service_account" {
  description = "E-mail of the service account: Models of acme-prod"
  value       = google_service_account.models.email
}

output "tracking_database_password" {
  description = "Entry with the password of the database tracking"
  value       = google_secret_manager_secret_version.tracking_database.secret
}

output "tracking_database_password_version" {
  description = "Version of the password of the database tracking"
  value       = google_secret_manager_secret_version.tracking_database.version
}

output "zenml_database_password" {
  description = "Entry with the password of the database zenml"
  value       = google_secret_manager_secret_version.zenml_database.secret
}

output "zenml_database_password_version" {
  description = "Version of the password of the database zenml"
  value       = google_secret_manager_secret_version.zenml_database.version
}
