output "cluster_name" {
  description = "Name of the cluster."
  value       = module.cluster.name
}

output "api_endpoint" {
  description = "Address of the Kubernetes API."
  value       = module.cluster.api_endpoint
}

output "kubeconfig_command" {
  description = "Fetches the kubeconfig that stage platform uses."
  value       = "civo kubernetes config ${module.cluster.name} --region LON1 --save --local-path ~/.kube/acme-dev"
}

output "database_addresses" {
  description = "Private addresses of the databases, which the cluster's Services lead to."
  value       = module.database.addresses
}

output "secrets" {
  description = "Values of the Secrets that stage platform writes, by entry."

  value = {
    acme-dev-tracking-object-store-id     = module.storage.credentials["tracking"].id
    acme-dev-tracking-object-store-secret = module.storage.credentials["tracking"].secret
    acme-dev-zenml-database-username      = module.database.credentials["zenml"].username
    acme-dev-zenml-database               = module.database.credentials["zenml"].password
  }

  sensitive = true
}
