# zenml-db.zenml.svc.cluster.local leads to the database that Civo manages.
resource "kubernetes_service_v1" "zenml_database" {
  metadata {
    name      = "zenml-db"
    namespace = kubernetes_namespace_v1.component["zenml"].metadata[0].name
  }

  spec {
    port {
      name        = "mysql"
      port        = 3306
      target_port = "3306"
    }
  }
}

resource "kubernetes_endpoint_slice_v1" "zenml_database" {
  address_type = "IPv4"

  metadata {
    name      = "zenml-db"
    namespace = kubernetes_namespace_v1.component["zenml"].metadata[0].name

    labels = {
      "kubernetes.io/service-name"             = kubernetes_service_v1.zenml_database.metadata[0].name
      "endpointslice.kubernetes.io/managed-by" = "terraform"
    }
  }

  endpoint {
    addresses = [data.terraform_remote_state.cluster.outputs.database_addresses["zenml"]]

    condition {
      ready = true
    }
  }

  port {
    name         = "mysql"
    port         = "3306"
    app_protocol = "mysql"
  }
}
