resource "google_compute_global_address" "gateway" {
  name         = "acme-prod-gateway"
  address_type = "EXTERNAL"
}

resource "google_dns_managed_zone" "public" {
  name        = "acme-prod"
  dns_name    = "mlops.example.com."
  description = "Hosts of acme-prod"

  dnssec_config {
    state = "on"
  }
}

resource "google_dns_record_set" "zenml" {
  managed_zone = google_dns_managed_zone.public.name
  name         = "zenml.mlops.example.com."
  type         = "A"
  ttl          = 300
  rrdatas      = [google_compute_global_address.gateway.address]
}

# Nobody else may issue certificates for the domain.
resource "google_dns_record_set" "caa" {
  managed_zone = google_dns_managed_zone.public.name
  name         = "mlops.example.com."
  type         = "CAA"
  ttl          = 3600
  rrdatas      = ["0 issue \"letsencrypt.org\""]
}

resource "google_dns_managed_zone" "internal" {
  name        = "acme-prod-internal"
  dns_name    = "acme-prod.internal."
  description = "Databases of acme-prod"
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = var.network_id
    }
  }
}

resource "google_dns_record_set" "tracking_database" {
  managed_zone = google_dns_managed_zone.internal.name
  name         = "tracking-db.acme-prod.internal."
  type         = "A"
  ttl          = 60
  rrdatas      = [var.tracking_database_address]
}

resource "google_dns_record_set" "zenml_database" {
  managed_zone = google_dns_managed_zone.internal.name
  name         = "zenml-db.acme-prod.internal."
  type         = "A"
  ttl          = 60
  rrdatas      = [var.zenml_database_address]
}
