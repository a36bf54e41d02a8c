output "notification_channels" {
  description = "Names of the channels that alerts go to"
  value       = [google_monitoring_notification_channel.email.name]
}
