# What stage `cluster` made.
data "terraform_remote_state" "cluster" {
  backend = "gcs"

  config = {
    bucket = "acme-mlops-prod-terraform-state"
    prefix = "acme/prod/cluster"
  }
}

resource "kubernetes_namespace_v1" "argocd" {
  metadata {
    name = "argocd"
  }

  lifecycle {
    ignore_changes = [metadata[0].annotations, metadata[0].labels]
  }
}

# Argo CD, with its custom resources.
resource "helm_release" "argocd" {
  name       = "argocd"
  namespace  = kubernetes_namespace_v1.argocd.metadata[0].name
  repository = "https://argoproj.github.io/argo-helm"
  chart      = "argo-cd"
  version    = "10.1.1"
  values     = [file("${path.module}/../../k8s-manifests/argocd/values.yaml")]
  # A release that does not come up is taken back.
  atomic          = true
  cleanup_on_fail = true
  max_history     = 5
  timeout         = 600
}

data "kubectl_file_documents" "mlops_stack" {
  content = file("${path.module}/../../k8s-manifests/argocd-apps/mlops-stack-app.yaml")
}

# The App of Apps and its project. kubectl_manifest plans them before their kinds exist, which
# kubernetes_manifest does not: so one apply is enough.
resource "kubectl_manifest" "mlops_stack" {
  for_each = data.kubectl_file_documents.mlops_stack.manifests

  yaml_body         = each.value
  server_side_apply = true
  # `make gitops-deploy-mlops-stack` applies the same file.
  force_conflicts = true

  depends_on = [helm_release.argocd, kubernetes_secret_v1.repository]
}
