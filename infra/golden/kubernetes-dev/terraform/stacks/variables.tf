variable "server_url" {
  description = "Address of ZenML's server; the default is that of `make port-forward-zenml`."
  type        = string
  default     = "http://localhost:8237"
}

variable "object_store_access_key_id" {
  description = "Access key id of the bucket of artifacts."
  type        = string
  sensitive   = true
}

variable "object_store_secret_access_key" {
  description = "Secret access key of the bucket of artifacts."
  type        = string
  sensitive   = true
}

variable "kube_context" {
  description = "Context of this cluster in the kubeconfig of those who start pipelines."
  type        = string
}

variable "container_registry_uri" {
  description = "Where images of steps are pushed, for example ghcr.io/acme. The cluster must be able to pull from it."
  type        = string
}
