output "name" {
  description = "Name of the cluster."
  value       = civo_kubernetes_cluster.main.name
}

output "api_endpoint" {
  description = "Address of the Kubernetes API."
  value       = civo_kubernetes_cluster.main.api_endpoint
}
