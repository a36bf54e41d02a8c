output "network_id" {
  description = "Id of the network"
  value       = google_compute_network.main.id
}

output "subnetwork_id" {
  description = "Id of the subnetwork of the nodes"
  value       = google_compute_subnetwork.nodes.id
}

output "private_services_range" {
  description = "Name of the range that Cloud SQL takes its addresses from"
  value       = google_compute_global_address.private_services.name

  depends_on = [google_service_networking_connection.private_services]
}
