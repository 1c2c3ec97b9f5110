# Secrets Manager makes SECRET_KEY itself, so that it is in no plan and no state; CloudFormation is
# the way to ask for that. (An ephemeral value would do, but cannot be mocked, so nothing that is
# near it could be tested.) Its value is never overwritten: docs/how-to/deploy-to-aws.md says how to
# change it. The app client's secret is in the state anyway, since its resource holds it.

resource "aws_cloudformation_stack" "keys" {
  count = local.home

  name = "${local.name}-keys"
  template_body = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "SECRET_KEY of ${local.name}"
    Resources = {
      Keys = {
        Type = "AWS::SecretsManager::Secret"
        Properties = merge(
          {
            Description = "SECRET_KEY and, parted by blanks, SECRET_KEY_FALLBACKS"
            GenerateSecretString = {
              GenerateStringKey  = "SECRET_KEY"
              PasswordLength     = 64
              ExcludePunctuation = true
              # No former key. A comma is an empty list; an empty string might not reach a container.
              SecretStringTemplate = jsonencode({ SECRET_KEY_FALLBACKS = "," })
            }
          },
          var.kms_key_arn == null ? {} : { KmsKeyId = var.kms_key_arn },
        )
      }
    }
    Outputs = { Arn = { Value = { Ref = "Keys" } } }
  })
}

locals {
  keys_arn       = local.home == 1 ? aws_cloudformation_stack.keys[0].outputs["Arn"] : null
  client_secrets = { for secret in aws_secretsmanager_secret.app_client : "COGNITO_CLIENT_SECRET" => secret }
}

resource "aws_secretsmanager_secret" "app_client" {
  #checkov:skip=CKV2_AWS_57:Cognito makes this secret; a copy of it cannot be rotated by itself
  count = local.client.secret ? local.home : 0

  name_prefix             = "${local.name}-app-client-"
  description             = "COGNITO_CLIENT_SECRET"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "app_client" {
  count = length(aws_secretsmanager_secret.app_client)

  secret_id     = aws_secretsmanager_secret.app_client[0].id
  secret_string = jsonencode({ COGNITO_CLIENT_SECRET = aws_cognito_user_pool_client.web.client_secret })
}
