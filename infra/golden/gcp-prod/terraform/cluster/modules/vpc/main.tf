resource "google_compute_network" "main" {
  name                    = "acme-prod"
  auto_create_subnetworks = false
  routing_mode            = "REGIONAL"
}

# No range may overlap another one, nor what is peered with the network later.
resource "google_compute_subnetwork" "nodes" {
  name          = "acme-prod-nodes"
  network       = google_compute_network.main.id
  region        = "europe-west1"
  ip_cidr_range = "10.0.0.0/20"
  # Nodes without external addresses reach Google's APIs by it.
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = "10.1.0.0/16"
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = "10.2.0.0/20"
  }

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.5
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_router" "main" {
  name    = "acme-prod"
  network = google_compute_network.main.id
  region  = "europe-west1"
}

resource "google_compute_router_nat" "main" {
  name                               = "acme-prod"
  router                             = google_compute_router.main.name
  region                             = "europe-west1"
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

# GKE lets the control plane reach its nodes at 443 and 10250 only. Kyverno, KServe and the database
# operators serve their webhooks at 9443, Knative at 8443.
resource "google_compute_firewall" "webhooks" {
  name                    = "acme-prod-webhooks"
  network                 = google_compute_network.main.id
  description             = "Admission webhooks: control plane to nodes"
  direction               = "INGRESS"
  source_ranges           = ["172.16.0.0/28"]
  target_service_accounts = [var.node_service_account]

  allow {
    protocol = "tcp"
    ports    = ["8443", "9443"]
  }
}

resource "google_compute_global_address" "private_services" {
  name          = "acme-prod-private-services"
  network       = google_compute_network.main.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  address       = "10.3.0.0"
  prefix_length = 16
}

resource "google_service_networking_connection" "private_services" {
  network                 = google_compute_network.main.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.private_services.name]
  # Google holds on to the peering for days after the last instance is gone; deleting it would fail until then.
  deletion_policy = "ABANDON"
}
