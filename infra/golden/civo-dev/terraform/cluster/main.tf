module "network" {
  source      = "./modules/network"
  name        = "acme-dev"
  cidr        = "10.20.0.0/24"
  admin_cidrs = ["203.0.113.0/24"]
}

module "cluster" {
  source             = "./modules/cluster"
  name               = "acme-dev"
  network_id         = module.network.network_id
  firewall_id        = module.network.firewall_id
  cluster_type       = "k3s"
  kubernetes_version = "1.32.5-k3s1"
  cni                = "cilium"
  node_size          = "g4s.kube.small"
  node_count         = 2
  tags               = "platform=acme environment=dev owner=ml-platform"
}

module "database" {
  source       = "./modules/database"
  name         = "acme-dev"
  network_id   = module.network.network_id
  network_cidr = "10.20.0.0/24"

  databases = {
    zenml = {
      engine  = "mysql"
      version = "8.0"
      size    = "g3.db.small"
      nodes   = 1
      port    = 3306
    }
  }
}

module "storage" {
  source  = "./modules/storage"
  name    = "acme-dev"
  region  = "LON1"
  size_gb = 500

  buckets = {
    tracking = "acme-dev-artifacts"
  }
}
