output "node_service_account" {
  description = "E-mail of the service account: Nodes of acme-dev"
  value       = google_service_account.nodes.email
}

output "tracking_service_account" {
  description = "E-mail of the service account: plinth of acme-dev"
  value       = google_service_account.tracking.email
}

output "zenml_service_account" {
  description = "E-mail of the service account: ZenML of acme-dev"
  value       = google_service_account.zenml.email
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
