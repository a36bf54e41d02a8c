# The DNS endpoint has a certificate that every client trusts; gke-gcloud-auth-plugin brings a token of whoever
# runs Terraform, so that none gets into the state.
provider "kubernetes" {
  host = data.terraform_remote_state.cluster.outputs.cluster_endpoint

  exec {
    api_version = "client.authentication.k8s.io/v1beta1"
    command     = "gke-gcloud-auth-plugin"
  }
}

provider "helm" {
  kubernetes = {
    host = data.terraform_remote_state.cluster.outputs.cluster_endpoint
    exec = {
      api_version = "client.authentication.k8s.io/v1beta1"
      command     = "gke-gcloud-auth-plugin"
    }
  }
}

provider "kubectl" {
  host             = data.terraform_remote_state.cluster.outputs.cluster_endpoint
  load_config_file = false

  exec {
    api_version = "client.authentication.k8s.io/v1beta1"
    command     = "gke-gcloud-auth-plugin"
  }
}
