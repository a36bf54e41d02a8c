variable "node_service_account" {
  description = "E-mail of the service account of the nodes, which the firewall rule is for"
  type        = string
}
