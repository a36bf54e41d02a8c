variable "domain" {
  description = "Domain of the platform."
  type        = string
}

variable "hosts" {
  description = "Names below the domain."
  type        = set(string)
}

variable "address" {
  description = "Address that they lead to."
  type        = string
}
