variable "network_id" {
  description = "Id of the network"
  type        = string
}

variable "subnetwork_id" {
  description = "Id of the subnetwork of the nodes"
  type        = string
}

variable "node_service_account" {
  description = "E-mail of the service account of the nodes"
  type        = string
}
