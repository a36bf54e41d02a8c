# A database without a firewall of its own answers the whole internet: this one only the cluster's network.
resource "civo_firewall" "database" {
  for_each = var.databases

  name                 = "${var.name}-${each.key}-database"
  network_id           = var.network_id
  create_default_rules = false

  ingress_rule {
    label      = each.value.engine
    protocol   = "tcp"
    port_range = tostring(each.value.port)
    cidr       = [var.network_cidr]
    action     = "allow"
  }

  egress_rule {
    label      = "all-tcp"
    protocol   = "tcp"
    port_range = "1-65535"
    cidr       = ["0.0.0.0/0"]
    action     = "allow"
  }

  egress_rule {
    label      = "all-udp"
    protocol   = "udp"
    port_range = "1-65535"
    cidr       = ["0.0.0.0/0"]
    action     = "allow"
  }

  egress_rule {
    label    = "all-icmp"
    protocol = "icmp"
    cidr     = ["0.0.0.0/0"]
    action   = "allow"
  }
}

# Civo changes only the number of nodes and the firewall of a running database. Another engine, version or
# size would be planned for ever and never come: make a second database and move the data.
resource "civo_database" "main" {
  for_each = var.databases

  name        = "${var.name}-${each.key}"
  engine      = each.value.engine
  version     = each.value.version
  size        = each.value.size
  nodes       = each.value.nodes
  network_id  = var.network_id
  firewall_id = civo_firewall.database[each.key].id
}
