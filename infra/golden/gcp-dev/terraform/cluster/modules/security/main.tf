resource "google_service_account" "nodes" {
  account_id   = "acme-dev-nodes"
  display_name = "Nodes of acme-dev"
}

# What a node needs: to write logs and metrics.
resource "google_project_iam_member" "nodes" {
  project = "acme-mlops-dev"
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.nodes.member
}

resource "google_service_account" "tracking" {
  account_id   = "acme-dev-tracking"
  display_name = "plinth of acme-dev"
}

resource "google_service_account" "zenml" {
  account_id   = "acme-dev-zenml"
  display_name = "ZenML of acme-dev"
}

resource "google_service_account_iam_member" "zenml_zenml" {
  service_account_id = google_service_account.zenml.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.workload_pool}[zenml/zenml]"
}

resource "google_service_account_iam_member" "zenml_zenml_db_migration" {
  service_account_id = google_service_account.zenml.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.workload_pool}[zenml/zenml-db-migration]"
}
