# The state holds credentials: only those who run Terraform may read the bucket. Keys of the bucket come
# from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. The bucket exists before the first `terraform init`.
terraform {
  backend "s3" {
    bucket = "acme-terraform-state"
    key    = "acme/dev/platform.tfstate"
    region = "LON1"
    # Two runs at a time are kept apart by a conditional write.
    use_lockfile = true

    endpoints = {
      s3 = "https://objectstore.lon1.civo.com"
    }

    use_path_style              = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_requesting_account_id  = true
    skip_s3_checksum            = true
  }
}
