resource "google_service_account" "nodes" {
  account_id   = "acme-prod-nodes"
  display_name = "Nodes of acme-prod"
}

# What a node needs: to write logs and metrics.
resource "google_project_iam_member" "nodes" {
  project = "acme-mlops-prod"
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.nodes.member
}

resource "google_service_account" "tracking" {
  account_id   = "acme-prod-tracking"
  display_name = "plinth of acme-prod"
}

resource "google_service_account" "zenml" {
  account_id   = "acme-prod-zenml"
  display_name = "ZenML of acme-prod"
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

resource "google_service_account" "models" {
  account_id   = "acme-prod-models"
  display_name = "Models of acme-prod"
}

resource "google_service_account_iam_member" "models_model_reader" {
  service_account_id = google_service_account.models.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.workload_pool}[models/model-reader]"
}
