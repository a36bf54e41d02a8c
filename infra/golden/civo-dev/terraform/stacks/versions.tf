terraform {
  required_version = ">= 1.11.0"

  required_providers {
    zenml = {
      source  = "zenml-io/zenml"
      version = "~> 3.0.6"
    }
  }
}
