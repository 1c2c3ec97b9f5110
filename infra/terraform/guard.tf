# The offline AWS is account 000000000000. When the variable and the account that answers disagree,
# the plan stops here, before anything is made in the wrong place.

data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = (self.account_id == "000000000000") == local.offline
      error_message = "target is \"${var.target}\", but account ${self.account_id} answers. Set target = \"aws\" for an AWS account; for the offline AWS set target = \"local\" and offline_endpoint."
    }
  }
}

data "aws_partition" "current" {}
