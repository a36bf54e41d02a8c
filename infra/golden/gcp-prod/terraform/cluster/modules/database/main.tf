resource "google_sql_database_instance" "tracking" {
  name             = "acme-prod-tracking"
  region           = "europe-west1"
  database_version = "POSTGRES_17"
  # Of Terraform; deletion_protection_enabled below is Google's own.
  deletion_protection = true

  settings {
    tier            = "db-custom-2-7680"
    edition         = "ENTERPRISE"
    disk_type       = "PD_SSD"
    disk_size       = 20
    disk_autoresize = true

    user_labels = {
      cost-center = "4711"
      platform    = "acme"
      environment = "prod"
      owner       = "ml-platform"
    }

    availability_type           = "REGIONAL"
    deletion_protection_enabled = true
    retain_backups_on_delete    = true

    # Going back to any moment takes the write-ahead log.
    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      start_time                     = "02:00"
      location                       = "europe-west4"
      transaction_log_retention_days = 7

      backup_retention_settings {
        retained_backups = 35
        retention_unit   = "COUNT"
      }
    }

    final_backup_config {
      enabled        = true
      retention_days = 35
    }

    # Reached from within the network only, and never in clear.
    ip_configuration {
      ipv4_enabled       = false
      private_network    = var.network_id
      allocated_ip_range = var.private_services_range
      ssl_mode           = "ENCRYPTED_ONLY"
      server_ca_mode     = "GOOGLE_MANAGED_INTERNAL_CA"
    }

    database_flags {
      name  = "log_checkpoints"
      value = "on"
    }

    database_flags {
      name  = "log_connections"
      value = "on"
    }

    database_flags {
      name  = "log_disconnections"
      value = "on"
    }

    database_flags {
      name  = "log_lock_waits"
      value = "on"
    }

    database_flags {
      name  = "log_min_duration_statement"
      value = "2000"
    }

    # Sundays at 03:00 UTC.
    maintenance_window {
      day          = 7
      hour         = 3
      update_track = "stable"
    }

    insights_config {
      query_insights_enabled = true
      query_string_length    = 1024
    }
  }
}

resource "google_sql_database" "tracking" {
  name      = "plinth"
  instance  = google_sql_database_instance.tracking.name
  charset   = "UTF8"
  collation = "en_US.UTF8"
  # Dropped by hand or with its instance, never by a plan.
  deletion_policy = "ABANDON"
}

# Read back from Secret Manager: user and Secret have the same password, whatever failed before.
ephemeral "google_secret_manager_secret_version" "tracking_password" {
  secret  = var.tracking_password
  version = var.tracking_password_version
}

resource "google_sql_user" "tracking" {
  name                = "plinth"
  instance            = google_sql_database_instance.tracking.name
  password_wo         = ephemeral.google_secret_manager_secret_version.tracking_password.secret_data
  password_wo_version = var.tracking_password_version
  # A user that owns tables cannot be dropped; it goes with its instance.
  deletion_policy = "ABANDON"
}

resource "google_sql_database_instance" "zenml" {
  name             = "acme-prod-zenml"
  region           = "europe-west1"
  database_version = "MYSQL_8_4"
  # Of Terraform; deletion_protection_enabled below is Google's own.
  deletion_protection = true

  settings {
    tier            = "db-custom-2-7680"
    edition         = "ENTERPRISE"
    disk_type       = "PD_SSD"
    disk_size       = 20
    disk_autoresize = true

    user_labels = {
      cost-center = "4711"
      platform    = "acme"
      environment = "prod"
      owner       = "ml-platform"
    }

    availability_type           = "REGIONAL"
    deletion_protection_enabled = true
    retain_backups_on_delete    = true

    # Going back to any moment takes the binary log: point_in_time_recovery_enabled is not for MySQL.
    backup_configuration {
      enabled                        = true
      binary_log_enabled             = true
      start_time                     = "02:00"
      location                       = "europe-west4"
      transaction_log_retention_days = 7

      backup_retention_settings {
        retained_backups = 35
        retention_unit   = "COUNT"
      }
    }

    final_backup_config {
      enabled        = true
      retention_days = 35
    }

    # Reached from within the network only, and never in clear.
    ip_configuration {
      ipv4_enabled       = false
      private_network    = var.network_id
      allocated_ip_range = var.private_services_range
      ssl_mode           = "ENCRYPTED_ONLY"
      server_ca_mode     = "GOOGLE_MANAGED_INTERNAL_CA"
    }

    database_flags {
      name  = "local_infile"
      value = "off"
    }

    database_flags {
      name  = "long_query_time"
      value = "2"
    }

    database_flags {
      name  = "slow_query_log"
      value = "on"
    }

    # Sundays at 03:00 UTC.
    maintenance_window {
      day          = 7
      hour         = 3
      update_track = "stable"
    }

    insights_config {
      query_insights_enabled = true
      query_string_length    = 1024
    }
  }
}

resource "google_sql_database" "zenml" {
  name      = "zenml"
  instance  = google_sql_database_instance.zenml.name
  charset   = "utf8mb4"
  collation = "utf8mb4_0900_ai_ci"
  # Dropped by hand or with its instance, never by a plan.
  deletion_policy = "ABANDON"
}

# Read back from Secret Manager: user and Secret have the same password, whatever failed before.
ephemeral "google_secret_manager_secret_version" "zenml_password" {
  secret  = var.zenml_password
  version = var.zenml_password_version
}

resource "google_sql_user" "zenml" {
  name                = "zenml"
  instance            = google_sql_database_instance.zenml.name
  host                = "%"
  password_wo         = ephemeral.google_secret_manager_secret_version.zenml_password.secret_data
  password_wo_version = var.zenml_password_version
  # A user that owns tables cannot be dropped; it goes with its instance.
  deletion_policy = "ABANDON"
}
