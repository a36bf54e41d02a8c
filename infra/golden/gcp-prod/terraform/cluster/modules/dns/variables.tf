variable "network_id" {
  description = "Id of the network that the names of the databases are known in"
  type        = string
}

variable "tracking_database_address" {
  description = "Address of the database of tracking in the network"
  type        = string
}

variable "zenml_database_address" {
  description = "Address of the database of zenml in the network"
  type        = string
}
