output "network_id" {
  description = "Id of the network."
  value       = civo_network.main.id
}

output "firewall_id" {
  description = "Id of the firewall of the cluster's nodes."
  value       = civo_firewall.cluster.id
}

output "gateway_ip" {
  description = "Public address of the Gateway."
  value       = civo_reserved_ip.gateway.ip
}
