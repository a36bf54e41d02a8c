module "network" {
  source          = "./modules/network"
  name            = "acme-prod"
  cidr            = "10.20.0.0/24"
  admin_cidrs     = ["203.0.113.0/24"]
  https_cidrs     = ["0.0.0.0/0"]
  gateway_ip_name = "acme-prod-gateway"
}

module "cluster" {
  source             = "./modules/cluster"
  name               = "acme-prod"
  network_id         = module.network.network_id
  firewall_id        = module.network.firewall_id
  cluster_type       = "k3s"
  kubernetes_version = "1.32.5-k3s1"
  cni                = "cilium"
  node_size          = "g4s.kube.medium"
  node_count         = 4
  tags               = "platform=acme environment=prod owner=ml-platform"

  gpu_pools = {
    gpu = {
      size     = "an.g1.l40s.kube.x1"
      nodes    = 1
      resource = "nvidia.com/gpu"
    }
  }
}

module "database" {
  source       = "./modules/database"
  name         = "acme-prod"
  network_id   = module.network.network_id
  network_cidr = "10.20.0.0/24"

  databases = {
    zenml = {
      engine  = "mysql"
      version = "8.0"
      size    = "g3.db.small"
      nodes   = 2
      port    = 3306
    }
  }
}

module "storage" {
  source  = "./modules/storage"
  name    = "acme-prod"
  region  = "LON1"
  size_gb = 500

  buckets = {
    tracking = "acme-prod-artifacts"
    models   = "acme-prod-models"
  }
}

# Backups of the databases in the cluster are written to this region directly. Artifacts and models are not:
# Civo copies no bucket by itself, so `make copy-artifacts` does, as often as it is run. Databases that Civo
# manages stay in their region with their backups.
module "backup_storage" {
  source  = "./modules/storage"
  name    = "acme-prod"
  region  = "FRA1"
  size_gb = 500

  buckets = {
    backups = "acme-prod-backups"
    copies  = "acme-prod-artifacts-copy"
  }
}

module "dns" {
  source  = "./modules/dns"
  domain  = "mlops.example.com"
  hosts   = ["tracking", "zenml"]
  address = module.network.gateway_ip
}
