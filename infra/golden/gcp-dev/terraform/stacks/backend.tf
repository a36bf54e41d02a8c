# The state holds credentials: only those who run Terraform may read the bucket. It is locked by itself;
# turn on object versioning, which keeps the states before.
terraform {
  backend "gcs" {
    bucket = "acme-mlops-dev-terraform-state"
    prefix = "acme/dev/stacks"
  }
}
