output "name_servers" {
  description = "Name servers to name for the domain at its registrar or in its parent zone."
  value       = ["ns0.civo.com", "ns1.civo.com"]
}
