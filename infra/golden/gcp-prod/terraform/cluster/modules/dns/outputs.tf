output "name_servers" {
  description = "Name servers of the zone"
  value       = google_dns_managed_zone.public.name_servers
}

output "gateway_address" {
  description = "External address of the gateway"
  value       = google_compute_global_address.gateway.address
}
