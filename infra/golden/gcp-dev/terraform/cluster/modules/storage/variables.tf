variable "node_service_account" {
  description = "E-mail of the service account: Nodes of acme-dev"
  type        = string
}

variable "tracking_service_account" {
  description = "E-mail of the service account: plinth of acme-dev"
  type        = string
}

variable "zenml_service_account" {
  description = "E-mail of the service account: ZenML of acme-dev"
  type        = string
}
