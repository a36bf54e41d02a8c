output "stack_commands" {
  description = "Commands that choose a stack."
  value       = ["zenml stack set acme-prod"]
}
