resource "google_dns_managed_zone" "internal" {
  name        = "acme-dev-internal"
  dns_name    = "acme-dev.internal."
  description = "Databases of acme-dev"
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = var.network_id
    }
  }
}

resource "google_dns_record_set" "tracking_database" {
  managed_zone = google_dns_managed_zone.internal.name
  name         = "tracking-db.acme-dev.internal."
  type         = "A"
  ttl          = 60
  rrdatas      = [var.tracking_database_address]
}

resource "google_dns_record_set" "zenml_database" {
  managed_zone = google_dns_managed_zone.internal.name
  name         = "zenml-db.acme-dev.internal."
  type         = "A"
  ttl          = 60
  rrdatas      = [var.zenml_database_address]
}
