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
  value       = "gcloud container clusters get-credentials acme-dev --region=europe-west1 --project=acme-mlops-dev --dns-endpoint"
}

output "registry" {
  description = "What stands before the name of an image"
  value       = module.storage.registry
}

output "registry_login_command" {
  description = "Command that gives docker its access to the repository of images"
  value       = "gcloud auth configure-docker europe-west1-docker.pkg.dev"
}

output "service_accounts" {
  description = "E-mails of the service accounts, by who acts as them"

  value = {
    nodes    = module.security.node_service_account
    tracking = module.security.tracking_service_account
    zenml    = module.security.zenml_service_account
  }
}

output "buckets" {
  description = "Names of the buckets, by what they hold"

  value = {
    artifacts = module.storage.artifacts_bucket
  }
}

output "database_instances" {
  description = "Names of the instances of Cloud SQL, by component"

  value = {
    tracking = module.database.tracking_instance
    zenml    = module.database.zenml_instance
  }
}

output "secret_commands" {
  description = "Commands that put in the values that a person gives, by entry; each asks for them"

  value = {
    zenml-admin = "read -rsp 'password: ' password && export password && jq -n '{\"password\": env.password}' | gcloud secrets versions add zenml-admin --project=acme-mlops-dev --data-file=-"
  }
}
