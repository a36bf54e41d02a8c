variable "repository_username" {
  description = "User name that goes with the token."
  type        = string
  default     = ""
}

variable "repository_password" {
  description = "Token that reads the repository."
  type        = string
  default     = ""
  sensitive   = true
  ephemeral   = true
}

variable "repository_credential_revision" {
  description = "Raise it by one to have a new credential written."
  type        = number
  default     = 1
}
