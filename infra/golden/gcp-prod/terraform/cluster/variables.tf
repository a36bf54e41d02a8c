variable "secret_versions" {
  description = "Generated entries that are to get a new value, with a number higher than before: { \"entry\" = 2 }"
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for number in values(var.secret_versions) : number > 1])
    error_message = "Every entry begins at 1: raise it to 2 or more."
  }
}
