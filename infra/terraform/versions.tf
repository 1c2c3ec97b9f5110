terraform {
  # 1.10: the S3 backend locks without a table; 1.11: `terraform test` overrides values of a plan.
  required_version = ">= 1.11.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # The state holds the app client's secret. Copy backend.tf.example to backend.tf to keep it
  # encrypted in S3; without that file it is in this folder, which git ignores.
}
