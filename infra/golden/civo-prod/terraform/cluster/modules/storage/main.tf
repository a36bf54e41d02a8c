resource "civo_object_store_credential" "main" {
  for_each = var.buckets

  name   = "${var.name}-${each.key}"
  region = var.region
}

# Without access_key_id Civo makes another credential, and ours has no right on the bucket. Of a bucket that
# exists Civo changes only the size; another name or key would be planned for ever.
resource "civo_object_store" "main" {
  for_each = var.buckets

  name          = each.value
  region        = var.region
  max_size_gb   = var.size_gb
  access_key_id = civo_object_store_credential.main[each.key].access_key_id

  lifecycle {
    prevent_destroy = true
  }
}
