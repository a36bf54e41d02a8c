variable "server_url" {
  description = "Address of ZenML's server; the default is that of `make port-forward-zenml`."
  type        = string
  default     = "http://localhost:8237"
}

variable "kube_context" {
  description = "Context of this cluster in the kubeconfig of those who start pipelines."
  type        = string
  default     = "gke_acme-mlops-dev_europe-west1_acme-dev"
}
