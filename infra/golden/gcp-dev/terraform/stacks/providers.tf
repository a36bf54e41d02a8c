# The API key of a service account comes from ZENML_API_KEY: it stands in no file.
provider "zenml" {
  server_url = var.server_url
}
