# Rings and keys can never be deleted, and their names never be used again.
resource "google_kms_key_ring" "main" {
  name     = "acme-prod"
  location = "europe-west1"
}

resource "google_kms_key_ring" "storage" {
  name     = "acme-prod-storage"
  location = "europe"
}

# Google makes this account when it is asked for first.
data "google_storage_project_service_account" "current" {}

resource "google_kms_crypto_key" "cluster" {
  name     = "cluster"
  key_ring = google_kms_key_ring.main.id
  purpose  = "ENCRYPT_DECRYPT"
  # 90 days. Older versions go on decrypting what they encrypted.
  rotation_period = "7776000s"

  # Without the key, what it encrypted is gone.
  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "cluster" {
  crypto_key_id = google_kms_crypto_key.cluster.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${var.project_number}@container-engine-robot.iam.gserviceaccount.com"
}

resource "google_kms_crypto_key" "storage" {
  name     = "storage"
  key_ring = google_kms_key_ring.storage.id
  purpose  = "ENCRYPT_DECRYPT"
  # 90 days. Older versions go on decrypting what they encrypted.
  rotation_period = "7776000s"

  # Without the key, what it encrypted is gone.
  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "storage" {
  crypto_key_id = google_kms_crypto_key.storage.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = data.google_storage_project_service_account.current.member
}
