resource "google_billing_budget" "main" {
  provider = google.billing

  billing_account = "0A1B2C-3D4E5F-6A7B8C"
  display_name    = "acme-prod"

  budget_filter {
    projects        = ["projects/${data.google_project.current.number}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      # The currency of the billing account: Google refuses any other.
      currency_code = "EUR"
      units         = "3000"
    }
  }

  threshold_rules {
    threshold_percent = 0.5
  }

  threshold_rules {
    threshold_percent = 0.9
  }

  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }

  threshold_rules {
    threshold_percent = 1
  }

  all_updates_rule {
    monitoring_notification_channels = module.monitoring.notification_channels
  }

  depends_on = [google_project_service.enabled]
}
