provider "google" {
  project = "acme-mlops-dev"
  region  = "europe-west1"

  default_labels = {
    cost-center = "4711"
    platform    = "acme"
    environment = "dev"
    owner       = "ml-platform"
  }
}

data "google_project" "current" {}

# Interfaces that are used. Others in the project may use them too: they stay on. Terraform needs one of them itself:
# gcloud services enable cloudresourcemanager.googleapis.com --project=acme-mlops-dev
resource "google_project_service" "enabled" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "dns.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "secretmanager.googleapis.com",
    "servicenetworking.googleapis.com",
    "sqladmin.googleapis.com",
    "storage.googleapis.com",
  ])

  service            = each.value
  disable_on_destroy = false
}

# Network: nodes without external addresses, NAT as the only way out.
module "vpc" {
  source               = "./modules/vpc"
  node_service_account = module.security.node_service_account

  depends_on = [google_project_service.enabled]
}

# Keys, service accounts, and the entries of Secret Manager with who may read each.
module "security" {
  source                       = "./modules/security"
  project_number               = data.google_project.current.number
  secret_versions              = var.secret_versions
  workload_pool                = module.gke.workload_pool
  tracking_database_ca         = module.database.tracking_server_ca
  tracking_object_store_id     = module.storage.tracking_access_key_id
  tracking_object_store_secret = module.storage.tracking_secret_access_key
  zenml_database_ca            = module.database.zenml_server_ca

  depends_on = [google_project_service.enabled]
}

# Cluster: Autopilot makes and sizes the nodes by what the pods ask for.
module "gke" {
  source               = "./modules/gke"
  network_id           = module.vpc.network_id
  subnetwork_id        = module.vpc.subnetwork_id
  node_service_account = module.security.node_service_account

  depends_on = [google_project_service.enabled]
}

# Databases: private addresses only, TLS only, an instance for each component.
module "database" {
  source                    = "./modules/database"
  network_id                = module.vpc.network_id
  private_services_range    = module.vpc.private_services_range
  tracking_password         = module.security.tracking_database_password
  tracking_password_version = module.security.tracking_database_password_version
  zenml_password            = module.security.zenml_database_password
  zenml_password_version    = module.security.zenml_database_password_version

  depends_on = [google_project_service.enabled, module.vpc]
}

# Buckets with who may use each, and the repository of images.
module "storage" {
  source                   = "./modules/storage"
  node_service_account     = module.security.node_service_account
  tracking_service_account = module.security.tracking_service_account
  zenml_service_account    = module.security.zenml_service_account

  depends_on = [google_project_service.enabled]
}

# Names: of the hosts for people, of the databases within the network.
module "dns" {
  source                    = "./modules/dns"
  network_id                = module.vpc.network_id
  tracking_database_address = module.database.tracking_private_address
  zenml_database_address    = module.database.zenml_private_address

  depends_on = [google_project_service.enabled]
}
