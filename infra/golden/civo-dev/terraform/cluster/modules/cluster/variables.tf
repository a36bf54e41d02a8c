variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "network_id" {
  description = "Network of the nodes."
  type        = string
}

variable "firewall_id" {
  description = "Firewall of the nodes, of the same network."
  type        = string
}

variable "cluster_type" {
  description = "Distribution: k3s or talos."
  type        = string
}

variable "kubernetes_version" {
  description = "Version as Civo writes it, for example 1.32.5-k3s1."
  type        = string
}

variable "cni" {
  description = "Network plugin: flannel or cilium."
  type        = string
}

variable "node_size" {
  description = "Size of the nodes."
  type        = string
}

variable "node_count" {
  description = "Number of nodes."
  type        = number
}

variable "tags" {
  description = "Tags, separated by spaces."
  type        = string
}
