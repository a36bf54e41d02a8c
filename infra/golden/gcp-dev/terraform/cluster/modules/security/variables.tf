variable "project_number" {
  description = "Number of the project, which the names of Google's own accounts have"
  type        = string
}

variable "secret_versions" {
  description = "Generated entries that are to get a new value, with a number that was raised"
  type        = map(number)
}

variable "workload_pool" {
  description = "Identities of the cluster's service accounts"
  type        = string
}

variable "tracking_database_ca" {
  description = "Certificate authority of the database server"
  type        = string
  sensitive   = true
}

variable "tracking_object_store_id" {
  description = "Access key id of tracking in the object store"
  type        = string
  sensitive   = true
}

variable "tracking_object_store_secret" {
  description = "Secret access key of tracking in the object store"
  type        = string
  sensitive   = true
}

variable "zenml_database_ca" {
  description = "Certificate authority of the database server"
  type        = string
  sensitive   = true
}
