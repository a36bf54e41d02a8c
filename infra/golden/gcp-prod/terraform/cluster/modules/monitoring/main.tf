resource "google_monitoring_notification_channel" "email" {
  display_name = "acme-prod: ml-platform@example.com"
  type         = "email"

  labels = {
    email_address = "ml-platform@example.com"
  }
}

resource "google_monitoring_alert_policy" "tracking_database_cpu" {
  display_name          = "acme-prod: acme-prod-tracking is short of CPU"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = [google_monitoring_notification_channel.email.name]

  user_labels = {
    cost-center = "4711"
    platform    = "acme"
    environment = "prod"
    owner       = "ml-platform"
  }

  conditions {
    display_name = "acme-prod-tracking is short of CPU"

    condition_threshold {
      filter          = "resource.type = \"cloudsql_database\" AND resource.labels.database_id = \"acme-mlops-prod:acme-prod-tracking\" AND metric.type = \"cloudsql.googleapis.com/database/cpu/utilization\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0.85
      duration        = "900s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    content   = "For 15 minutes acme-prod-tracking has used more than 85 % of its CPU. Look at its slow queries (Query Insights), or raise tracking.database.tier."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "tracking_database_disk" {
  display_name          = "acme-prod: The disk of acme-prod-tracking is nearly full"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = [google_monitoring_notification_channel.email.name]

  user_labels = {
    cost-center = "4711"
    platform    = "acme"
    environment = "prod"
    owner       = "ml-platform"
  }

  conditions {
    display_name = "The disk of acme-prod-tracking is nearly full"

    condition_threshold {
      filter          = "resource.type = \"cloudsql_database\" AND resource.labels.database_id = \"acme-mlops-prod:acme-prod-tracking\" AND metric.type = \"cloudsql.googleapis.com/database/disk/utilization\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0.9
      duration        = "900s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    content   = "The disk of acme-prod-tracking grows by itself. When this fires, it does not: look at the quota of the project, or raise tracking.database.diskGb."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "zenml_database_cpu" {
  display_name          = "acme-prod: acme-prod-zenml is short of CPU"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = [google_monitoring_notification_channel.email.name]

  user_labels = {
    cost-center = "4711"
    platform    = "acme"
    environment = "prod"
    owner       = "ml-platform"
  }

  conditions {
    display_name = "acme-prod-zenml is short of CPU"

    condition_threshold {
      filter          = "resource.type = \"cloudsql_database\" AND resource.labels.database_id = \"acme-mlops-prod:acme-prod-zenml\" AND metric.type = \"cloudsql.googleapis.com/database/cpu/utilization\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0.85
      duration        = "900s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    content   = "For 15 minutes acme-prod-zenml has used more than 85 % of its CPU. Look at its slow queries (Query Insights), or raise pipelines.database.tier."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "zenml_database_disk" {
  display_name          = "acme-prod: The disk of acme-prod-zenml is nearly full"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = [google_monitoring_notification_channel.email.name]

  user_labels = {
    cost-center = "4711"
    platform    = "acme"
    environment = "prod"
    owner       = "ml-platform"
  }

  conditions {
    display_name = "The disk of acme-prod-zenml is nearly full"

    condition_threshold {
      filter          = "resource.type = \"cloudsql_database\" AND resource.labels.database_id = \"acme-mlops-prod:acme-prod-zenml\" AND metric.type = \"cloudsql.googleapis.com/database/disk/utilization\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0.9
      duration        = "900s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    content   = "The disk of acme-prod-zenml grows by itself. When this fires, it does not: look at the quota of the project, or raise pipelines.database.diskGb."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_uptime_check_config" "zenml" {
  display_name = "zenml.mlops.example.com"
  period       = "60s"
  timeout      = "10s"

  http_check {
    path         = "/health"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }

  monitored_resource {
    type = "uptime_url"

    labels = {
      project_id = "acme-mlops-prod"
      host       = "zenml.mlops.example.com"
    }
  }
}

resource "google_monitoring_alert_policy" "zenml_down" {
  display_name          = "acme-prod: zenml.mlops.example.com does not answer"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = [google_monitoring_notification_channel.email.name]

  user_labels = {
    cost-center = "4711"
    platform    = "acme"
    environment = "prod"
    owner       = "ml-platform"
  }

  conditions {
    display_name = "zenml.mlops.example.com does not answer"

    condition_threshold {
      filter          = "resource.type = \"uptime_url\" AND metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND resource.labels.host = \"zenml.mlops.example.com\""
      comparison      = "COMPARISON_LT"
      threshold_value = 0.5
      duration        = "300s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_FRACTION_TRUE"
        cross_series_reducer = "REDUCE_MEAN"
      }
    }
  }

  documentation {
    content   = "For 5 minutes https://zenml.mlops.example.com/health has not answered most of Google's checkers: name, certificate, gateway, pods, database."
    mime_type = "text/markdown"
  }
}
