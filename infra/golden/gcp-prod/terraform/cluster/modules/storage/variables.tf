variable "node_service_account" {
  description = "E-mail of the service account: Nodes of acme-prod"
  type        = string
}

variable "tracking_service_account" {
  description = "E-mail of the service account: plinth of acme-prod"
  type        = string
}

variable "zenml_service_account" {
  description = "E-mail of the service account: ZenML of acme-prod"
  type        = string
}

variable "models_service_account" {
  description = "E-mail of the service account: Models of acme-prod"
  type        = string
}

variable "storage_key" {
  description = "Id of the key that objects are encrypted with"
  type        = string
}

variable "tracking_instance_account" {
  description = "E-mail of the account that the database of tracking is exported as"
  type        = string
}

variable "zenml_instance_account" {
  description = "E-mail of the account that the database of zenml is exported as"
  type        = string
}
