# The state is a Secret of the cluster, locked by a Lease. The cluster is the one of KUBE_CONFIG_PATH,
# and the namespace exists before the first `terraform init`.
terraform {
  backend "kubernetes" {
    secret_suffix = "acme-dev-platform"
    namespace     = "terraform-state"
  }
}
