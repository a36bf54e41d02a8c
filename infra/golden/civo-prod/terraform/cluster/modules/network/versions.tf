terraform {
  required_version = ">= 1.11.0"

  required_providers {
    civo = {
      source  = "civo/civo"
      version = "~> 1.2.6"
    }
  }
}
