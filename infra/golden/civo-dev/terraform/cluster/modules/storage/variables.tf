variable "name" {
  description = "Begins the names of the credentials."
  type        = string
}

variable "region" {
  description = "Region of the buckets."
  type        = string
}

variable "size_gb" {
  description = "Most that a bucket holds, in GB."
  type        = number
}

variable "buckets" {
  description = "Bucket names by user."
  type        = map(string)
}
