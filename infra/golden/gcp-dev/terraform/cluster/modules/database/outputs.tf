output "tracking_private_address" {
  description = "Address of the database of tracking in the network"
  value       = google_sql_database_instance.tracking.private_ip_address
}

output "tracking_instance" {
  description = "Name of the instance of tracking"
  value       = google_sql_database_instance.tracking.name
}

output "tracking_server_ca" {
  description = "Certificate authority that signs the server's certificate of tracking"
  value       = google_sql_database_instance.tracking.server_ca_cert[0].cert
  sensitive   = true
}

output "tracking_instance_account" {
  description = "E-mail of the account that the instance of tracking exports and imports as"
  value       = google_sql_database_instance.tracking.service_account_email_address
}

output "zenml_private_address" {
  description = "Address of the database of zenml in the network"
  value       = google_sql_database_instance.zenml.private_ip_address
}

output "zenml_instance" {
  description = "Name of the instance of zenml"
  value       = google_sql_database_instance.zenml.name
}

output "zenml_server_ca" {
  description = "Certificate authority that signs the server's certificate of zenml"
  value       = google_sql_database_instance.zenml.server_ca_cert[0].cert
  sensitive   = true
}

output "zenml_instance_account" {
  description = "E-mail of the account that the instance of zenml exports and imports as"
  value       = google_sql_database_instance.zenml.service_account_email_address
}
