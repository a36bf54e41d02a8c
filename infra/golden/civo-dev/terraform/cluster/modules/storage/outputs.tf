output "credentials" {
  description = "Keys by user."

  value = {
    for user, credential in civo_object_store_credential.main : user => {
      id     = credential.access_key_id
      secret = credential.secret_access_key
    }
  }

  sensitive = true
}
