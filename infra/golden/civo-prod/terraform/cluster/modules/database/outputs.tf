output "addresses" {
  description = "Private address of each database."
  value       = { for key, database in civo_database.main : key => database.private_ipv4 }
}

output "credentials" {
  description = "User and password of each database."

  value = {
    for key, database in civo_database.main : key => {
      username = database.username
      password = database.password
    }
  }

  sensitive = true
}
