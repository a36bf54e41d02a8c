# A token with the right to read is enough; a public repository needs none, and both stay empty.
resource "kubernetes_secret_v1" "repository" {
  data_wo = {
    type     = "git"
    url      = "https://git.example.com/ml-platform/deploy.git"
    username = var.repository_username
    password = var.repository_password
  }

  data_wo_revision = var.repository_credential_revision

  metadata {
    name      = "repository"
    namespace = kubernetes_namespace_v1.argocd.metadata[0].name

    labels = {
      "argocd.argoproj.io/secret-type" = "repository"
    }
  }
}
