# Civo changes version and number of nodes of a running cluster. It refuses another type, CNI, network,
# set of applications or size of nodes: that is a new cluster beside this one, and a move.
resource "civo_kubernetes_cluster" "main" {
  name               = var.name
  network_id         = var.network_id
  firewall_id        = var.firewall_id
  cluster_type       = var.cluster_type
  kubernetes_version = var.kubernetes_version
  cni                = var.cni
  # Civo's own ingress would take the ports that the Gateway serves.
  applications = "metrics-server,-Traefik-v2-nodeport"
  tags         = var.tags
  # It would stand in the state. `civo kubernetes config` fetches it.
  write_kubeconfig = false

  pools {
    label      = "workers"
    size       = var.node_size
    node_count = var.node_count
  }
}
