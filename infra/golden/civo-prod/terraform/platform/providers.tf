# Nothing of the kubeconfig gets into the state. `terraform -chdir=../cluster output -raw kubeconfig_command`
# says how to fetch it.
provider "kubernetes" {
  config_path = var.kubeconfig
}

provider "helm" {
  kubernetes = {
    config_path = var.kubeconfig
  }
}

provider "kubectl" {
  config_path = var.kubeconfig
}
