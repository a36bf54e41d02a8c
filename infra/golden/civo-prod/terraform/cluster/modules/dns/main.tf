# Takes effect once the domain's registrar or parent zone names Civo's name servers for it.
resource "civo_dns_domain_name" "main" {
  name = var.domain
}

resource "civo_dns_domain_record" "host" {
  for_each = var.hosts

  domain_id = civo_dns_domain_name.main.id
  type      = "A"
  name      = each.value
  value     = var.address
  ttl       = 600
}
