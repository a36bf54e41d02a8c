resource "civo_network" "main" {
  label   = var.name
  cidr_v4 = var.cidr
}

# The rules that Civo would make by default open every port to everybody.
resource "civo_firewall" "cluster" {
  name                 = "${var.name}-cluster"
  network_id           = civo_network.main.id
  create_default_rules = false

  ingress_rule {
    label      = "kubernetes-api"
    protocol   = "tcp"
    port_range = "6443"
    cidr       = var.admin_cidrs
    action     = "allow"
  }

  ingress_rule {
    label      = "http"
    protocol   = "tcp"
    port_range = "80"
    cidr       = ["0.0.0.0/0"]
    action     = "allow"
  }

  ingress_rule {
    label      = "https"
    protocol   = "tcp"
    port_range = "443"
    cidr       = var.https_cidrs
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

# The load balancer asks for it by this name (annotation kubernetes.civo.com/ipv4-address), so that
# the DNS records stay right when the Gateway is made anew.
resource "civo_reserved_ip" "gateway" {
  name = var.gateway_ip_name
}
