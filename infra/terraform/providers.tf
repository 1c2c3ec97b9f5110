provider "aws" {
  region = local.region

  # Only with aws_account_id: any other account ends the plan.
  allowed_account_ids = var.aws_account_id == null ? null : [var.aws_account_id]

  # Offline only. On AWS the skips would hide a wrong credential, and the keys come from your
  # environment or profile.
  access_key                  = local.offline ? "test" : null
  secret_key                  = local.offline ? "test" : null
  skip_credentials_validation = local.offline
  skip_metadata_api_check     = local.offline
  skip_requesting_account_id  = false
  s3_use_path_style           = local.offline

  dynamic "endpoints" {
    for_each = local.offline ? [var.offline_endpoint] : []
    content {
      apigatewayv2    = endpoints.value
      cloudformation  = endpoints.value
      cloudwatchlogs  = endpoints.value
      cognitoidentity = endpoints.value
      cognitoidp      = endpoints.value
      dynamodb        = endpoints.value
      iam             = endpoints.value
      lambda          = endpoints.value
      s3              = endpoints.value
      sts             = endpoints.value
    }
  }

  default_tags {
    tags = local.tags
  }
}
