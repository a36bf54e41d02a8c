variable "server_url" {
  description = "Address of ZenML's server; the default is that of `make port-forward-zenml`."
  type        = string
  default     = "http://localhost:8237"
}

variable "kube_context" {
  description = "Context of this cluster in the kubeconfig of those who start pipelines."
  type        = string
  default     = "acme-dev"
}

variable "tracking_token" {
  description = "Key of a service account that steps log with: plinth service-account create zenml, plinth role assign zenml editor, plinth key create zenml --for zenml."
  type        = string
  sensitive   = true
}

variable "container_registry_uri" {
  description = "Where images of steps are pushed, for example ghcr.io/acme. The cluster must be able to pull from it."
  type        = string
}
