variable "server_url" {
  description = "Address of ZenML's server."
  type        = string
  default     = "https://zenml.mlops.example.com"
}

variable "kube_context" {
  description = "Context of this cluster in the kubeconfig of those who start pipelines."
  type        = string
  default     = "gke_acme-mlops-prod_europe-west1_acme-prod"
}

variable "tracking_token" {
  description = "Key of a service account that steps log with: plinth service-account create zenml, plinth role assign zenml editor, plinth key create zenml --for zenml."
  type        = string
  sensitive   = true
}
