output "cluster_name" {
  description = "Name of the cluster"
  value       = module.gke.name
}

output "cluster_location" {
  description = "Region of the cluster"
  value       = module.gke.location
}

output "cluster_endpoint" {
  description = "Address of the Kubernetes API, for the platform stage"
  value       = module.gke.endpoint
}

output "kubectl_command" {
  description = "Command that gives kubectl its access to the cluster"
  value       = "gcloud container clusters get-credentials acme-prod --region=europe-west1 --project=acme-mlops-prod --dns-endpoint"
}

output "registry" {
  description = "What stands before the name of an image"
  value       = module.storage.registry
}

output "registry_login_command" {
  description = "Command that gives docker its access to the repository of images"
  value       = "gcloud auth configure-docker europe-docker.pkg.dev"
}

output "service_accounts" {
  description = "E-mails of the service accounts, by who acts as them"

  value = {
    nodes    = module.security.node_service_account
    tracking = module.security.tracking_service_account
    zenml    = module.security.zenml_service_account
    models   = module.security.models_service_account
  }
}

output "buckets" {
  description = "Names of the buckets, by what they hold"

  value = {
    artifacts = module.storage.artifacts_bucket
    models    = module.storage.models_bucket
    backups   = module.storage.backups_bucket
  }
}

output "database_instances" {
  description = "Names of the instances of Cloud SQL, by component"

  value = {
    tracking = module.database.tracking_instance
    zenml    = module.database.zenml_instance
  }
}

output "backup_list_commands" {
  description = "Commands that list the backups of the databases, by component"

  value = {
    tracking = "gcloud sql backups list --instance=acme-prod-tracking --project=acme-mlops-prod"
    zenml    = "gcloud sql backups list --instance=acme-prod-zenml --project=acme-mlops-prod"
  }
}

output "restore_test_commands" {
  description = "Commands that make a copy of each database as it was an hour ago, beside the running one: try them before you need them"

  value = {
    tracking = "gcloud sql instances clone acme-prod-tracking acme-prod-tracking-restored --project=acme-mlops-prod --point-in-time=\"$(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%SZ)\""
    zenml    = "gcloud sql instances clone acme-prod-zenml acme-prod-zenml-restored --project=acme-mlops-prod --point-in-time=\"$(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%SZ)\""
  }
}

output "gateway_address" {
  description = "External address of the gateway"
  value       = module.dns.gateway_address
}

output "gateway_address_name" {
  description = "Name of that address, which the Gateway asks for"
  value       = "acme-prod-gateway"
}

output "name_servers" {
  description = "Name servers of mlops.example.com: the zone above it needs NS records with them"
  value       = module.dns.name_servers
}

output "secret_commands" {
  description = "Commands that put in the values that a person gives, by entry; each asks for them"

  value = {
    zenml-admin = "read -rsp 'password: ' password && export password && jq -n '{\"password\": env.password}' | gcloud secrets versions add zenml-admin --project=acme-mlops-prod --data-file=-"
  }
}
