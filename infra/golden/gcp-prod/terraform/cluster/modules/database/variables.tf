variable "network_id" {
  description = "Id of the network"
  type        = string
}

variable "private_services_range" {
  description = "Name of the range that addresses are taken from, once it is peered"
  type        = string
}

variable "tracking_password" {
  description = "Entry of Secret Manager with the password of tracking"
  type        = string
}

variable "tracking_password_version" {
  description = "Version of that entry: a new one gives the user a new password"
  type        = string
}

variable "zenml_password" {
  description = "Entry of Secret Manager with the password of zenml"
  type        = string
}

variable "zenml_password_version" {
  description = "Version of that entry: a new one gives the user a new password"
  type        = string
}
