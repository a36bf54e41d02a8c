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

variable "https_cidrs" {
  description = "Networks that may reach the Gateway."
  type        = set(string)
}

variable "gateway_ip_name" {
  description = "Name of the address that the Gateway's load balancer takes."
  type        = string
}
