# Images. What lost its tag goes after 30 days; the newest ten stay in any case.
resource "google_artifact_registry_repository" "images" {
  location               = "europe-west1"
  repository_id          = "acme-dev"
  description            = "Images of acme-dev"
  format                 = "DOCKER"
  cleanup_policy_dry_run = false

  docker_config {
    # A tag that was deployed stays what it was.
    immutable_tags = true
  }

  cleanup_policies {
    id     = "delete-untagged"
    action = "DELETE"

    condition {
      tag_state  = "UNTAGGED"
      older_than = "2592000s"
    }
  }

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"

    most_recent_versions {
      keep_count = 10
    }
  }

  vulnerability_scanning_config {
    enablement_config = "INHERITED"
  }
}

resource "google_artifact_registry_repository_iam_member" "nodes" {
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.reader"
  member     = "serviceAccount:${var.node_service_account}"
}
