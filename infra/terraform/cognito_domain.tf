locals {
  domain_prefix = coalesce(var.cognito_domain_prefix, local.offline ? local.name : "${local.name}-${local.account}")

  managed_login_origin = (
    var.cognito_custom_domain != null ? "https://${var.cognito_custom_domain}" :
    local.offline ? var.offline_endpoint :
    "https://${local.domain_prefix}.auth.${local.region}.amazoncognito.com"
  )
}

resource "aws_cognito_user_pool_domain" "this" {
  user_pool_id          = aws_cognito_user_pool.this.id
  domain                = coalesce(var.cognito_custom_domain, local.domain_prefix)
  certificate_arn       = var.cognito_custom_domain_certificate_arn
  managed_login_version = local.pool.domain.version
}

# A domain of version 2 shows nothing usable until the client has a branding style. The provider has
# a resource for it from 6.x on; CloudFormation has it now. The offline AWS has pages of its own.
resource "aws_cloudformation_stack" "branding" {
  count = local.on_aws && local.pool.domain.version == 2 ? 1 : 0

  name = "${local.name}-managed-login-branding"
  template_body = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "Managed Login branding of ${local.name}"
    Resources = {
      Branding = {
        Type = "AWS::Cognito::ManagedLoginBranding"
        Properties = {
          UserPoolId               = aws_cognito_user_pool.this.id
          ClientId                 = aws_cognito_user_pool_client.web.id
          UseCognitoProvidedValues = true
        }
      }
    }
  })

  depends_on = [aws_cognito_user_pool_domain.this]
}
