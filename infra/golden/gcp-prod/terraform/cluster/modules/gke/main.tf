resource "google_container_cluster" "main" {
  name                = "acme-prod"
  location            = "europe-west1"
  deletion_protection = true
  network             = var.network_id
  subnetwork          = var.subnetwork_id
  enable_autopilot    = true

  cluster_autoscaling {
    auto_provisioning_defaults {
      service_account = var.node_service_account
      oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    }
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = false
    master_ipv4_cidr_block  = "172.16.0.0/28"
  }

  # The way in for people and Terraform: a name, guarded by IAM (container.clusters.connect).
  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = true
    }
  }

  # The address of the API answers these networks only.
  master_authorized_networks_config {
    gcp_public_cidrs_access_enabled = false

    cidr_blocks {
      cidr_block   = "203.0.113.0/24"
      display_name = "office"
    }
  }

  database_encryption {
    state    = "ENCRYPTED"
    key_name = var.secrets_key
  }

  release_channel {
    channel = "REGULAR"
  }

  maintenance_policy {
    recurring_window {
      start_time = "2026-01-03T01:00:00Z"
      end_time   = "2026-01-03T07:00:00Z"
      recurrence = "FREQ=WEEKLY;BYDAY=SA,SU,MO,TU"
    }
  }

  gateway_api_config {
    channel = "CHANNEL_STANDARD"
  }

  addons_config {
    http_load_balancing {
      disabled = false
    }

    horizontal_pod_autoscaling {
      disabled = false
    }

    gke_backup_agent_config {
      enabled = true
    }
  }

  cost_management_config {
    enabled = true
  }

  security_posture_config {
    mode = "BASIC"
  }
}

resource "google_gke_backup_backup_plan" "main" {
  name     = "acme-prod"
  cluster  = google_container_cluster.main.id
  location = "europe-west4"

  backup_config {
    all_namespaces      = true
    include_volume_data = true
    # External Secrets fetches them again from Secret Manager.
    include_secrets = false
  }

  backup_schedule {
    cron_schedule = "0 2 * * *"
  }

  retention_policy {
    backup_retain_days      = 35
    backup_delete_lock_days = 7
  }
}
