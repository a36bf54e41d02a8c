variable "name" {
  description = "Begins the names of the databases."
  type        = string
}

variable "network_id" {
  description = "Network of the databases."
  type        = string
}

variable "network_cidr" {
  description = "Range of the network, whose machines may connect."
  type        = string
}

variable "databases" {
  description = "Databases by what they are for."
  type        = map(object({ engine = string, version = string, size = string, nodes = number, port = number }))
}
