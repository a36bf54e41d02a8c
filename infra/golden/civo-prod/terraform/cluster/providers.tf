# The API key comes from CIVO_TOKEN: it stands in no file.
provider "civo" {
  region = "LON1"
}
