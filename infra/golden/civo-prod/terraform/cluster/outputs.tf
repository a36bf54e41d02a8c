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
  value       = "civo kubernetes config ${module.cluster.name} --region LON1 --save --local-path ~/.kube/acme-prod"
}

output "gateway_ip" {
  description = "Public address of the Gateway."
  value       = module.network.gateway_ip
}

output "name_servers" {
  description = "Name servers to name for the domain."
  value       = module.dns.name_servers
}

output "database_addresses" {
  description = "Private addresses of the databases, which the cluster's Services lead to."
  value       = module.database.addresses
}

output "secrets" {
  description = "Values of the Secrets that stage platform writes, by entry."

  value = {
    acme-prod-tracking-object-store-id     = module.storage.credentials["tracking"].id
    acme-prod-tracking-object-store-secret = module.storage.credentials["tracking"].secret
    acme-prod-models-object-store-id       = module.storage.credentials["models"].id
    acme-prod-models-object-store-secret   = module.storage.credentials["models"].secret
    acme-prod-backups-object-store-id      = module.backup_storage.credentials["backups"].id
    acme-prod-backups-object-store-secret  = module.backup_storage.credentials["backups"].secret
    acme-prod-copies-object-store-id       = module.backup_storage.credentials["copies"].id
    acme-prod-copies-object-store-secret   = module.backup_storage.credentials["copies"].secret
    acme-prod-zenml-database-username      = module.database.credentials["zenml"].username
    acme-prod-zenml-database               = module.database.credentials["zenml"].password
  }

  sensitive = true
}
