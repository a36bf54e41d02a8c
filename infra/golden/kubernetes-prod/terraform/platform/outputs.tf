output "argocd_command" {
  description = "Shows Argo CD of prod at https://localhost:8443."
  value       = "kubectl --namespace argocd port-forward service/argocd-server 8443:443"
}

output "argocd_password_command" {
  description = "Prints the first password of the user admin."
  value       = "kubectl --namespace argocd get secret argocd-initial-admin-secret --output jsonpath='{.data.password}' | base64 --decode"
}
