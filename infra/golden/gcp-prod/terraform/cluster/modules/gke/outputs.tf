output "name" {
  description = "Name of the cluster"
  value       = google_container_cluster.main.name
}

output "location" {
  description = "Region of the cluster"
  value       = google_container_cluster.main.location
}

output "endpoint" {
  description = "Address of the Kubernetes API, with a certificate that every client trusts"
  value       = "https://${google_container_cluster.main.control_plane_endpoints_config[0].dns_endpoint_config[0].endpoint}"
}

output "workload_pool" {
  description = "Identities of the cluster's service accounts; the pool is there once the cluster is"
  value       = "acme-mlops-prod.svc.id.goog"

  depends_on = [google_container_cluster.main]
}
