variable "name" {
  description = "Begins the names of everything in the network."
  type        = string
}

variable "cidr" {
  description = "IPv4 range of the network. It cannot be changed later."
  type        = string
}

variable "admin_cidrs" {
  description = "Networks that may reach the Kubernetes API."
  type        = set(string)
}
