locals {
  settings = merge(
    {
      APP_BASE_URL             = local.app_base_url
      AWS_REGION               = local.region
      COGNITO_USER_POOL_ID     = aws_cognito_user_pool.this.id
      COGNITO_CLIENT_ID        = aws_cognito_user_pool_client.web.id
      COGNITO_IDENTITY_POOL_ID = aws_cognito_identity_pool.this.id
      COGNITO_SCOPES           = join(" ", local.client.scopes)
      API_ENDPOINT             = local.api_endpoint
    },
    local.offline ? { AWS_ENDPOINT_URL = var.offline_endpoint } : {},
    var.cognito_custom_domain == null ? {} : { COGNITO_DOMAIN = local.managed_login_origin },
    length(var.identity_providers) == 0 ? {} : { COGNITO_IDENTITY_PROVIDERS = join(",", keys(var.identity_providers)) },
  )

  session_store_url = "dynamodb://${aws_dynamodb_table.sessions.name}"
}

output "settings" {
  description = "The application's settings by their names, all but the secret ones."
  value       = local.settings
}

output "secret_settings" {
  description = "The settings that are secret: the app client's secret, where it has one. SECRET_KEY is in no output and in no state."
  value       = local.client.secret ? { COGNITO_CLIENT_SECRET = aws_cognito_user_pool_client.web.client_secret } : {}
  sensitive   = true
}

output "session_store_url" {
  description = "SESSION_STORE_URL for several hosts: the DynamoDB table. Whoever uses it needs AWS credentials for it."
  value       = local.session_store_url
}

output "managed_login_origin" {
  description = "Where people sign in."
  value       = local.managed_login_origin
}

output "issuer" {
  description = "The exact `iss` of the pool's tokens."
  value       = local.issuer
}

output "role_arns" {
  description = "The roles that the identity pool hands out, by their key in stack.yaml."
  value       = { for key, role in aws_iam_role.person : key => role.arn }
}

output "managed_login_alias" {
  description = "What the address record of cognito_custom_domain has to point to."
  value       = var.cognito_custom_domain == null ? null : aws_cognito_user_pool_domain.this.cloudfront_distribution
}

output "load_balancer" {
  description = "What the address record of app_domain_name has to point to, when route53_zone_id is not set."
  value       = one(aws_lb.this[*].dns_name)
}

output "image_repository" {
  description = "Where to push the image."
  value       = one(aws_ecr_repository.this[*].repository_url)
}

output "pipeline_role_arn" {
  description = "The role that the deploying workflow takes."
  value       = one(aws_iam_role.pipeline[*].arn)
}

output "alarm_topic_arn" {
  description = "The SNS topic that alarms go to."
  value       = one(aws_sns_topic.alarms[*].arn)
}
