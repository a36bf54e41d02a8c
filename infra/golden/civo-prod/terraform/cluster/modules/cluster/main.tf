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

  lifecycle {
    prevent_destroy = true
  }
}

# The taint keeps pods away that ask for no accelerator.
resource "civo_kubernetes_node_pool" "gpu" {
  for_each = var.gpu_pools

  cluster_id = civo_kubernetes_cluster.main.id
  label      = each.key
  size       = each.value.size
  node_count = each.value.nodes
  labels     = { "plinth/gpu-pool" = each.key }

  taint {
    key    = each.value.resource
    value  = "present"
    effect = "NoSchedule"
  }
}
