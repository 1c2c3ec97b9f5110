locals {
  client = local.stack.app_client
}

resource "aws_cognito_user_pool_client" "web" {
  user_pool_id    = aws_cognito_user_pool.this.id
  name            = "${local.name}-web"
  generate_secret = local.client.secret

  callback_urls                        = [for path in local.client.callback_paths : "${local.app_base_url}${path}"]
  logout_urls                          = [for path in local.client.logout_paths : "${local.app_base_url}${path}"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = local.client.flows
  allowed_oauth_scopes                 = local.client.scopes
  supported_identity_providers         = concat(local.client.identity_providers, keys(aws_cognito_identity_provider.this))
  explicit_auth_flows                  = local.client.auth_flows

  id_token_validity      = local.client.id_token_minutes
  access_token_validity  = local.client.access_token_minutes
  refresh_token_validity = local.client.refresh_token_days
  auth_session_validity  = local.client.auth_session_minutes
  token_validity_units {
    id_token      = "minutes"
    access_token  = "minutes"
    refresh_token = "days"
  }

  refresh_token_rotation {
    feature                    = local.client.rotation.enabled ? "ENABLED" : "DISABLED"
    retry_grace_period_seconds = local.client.rotation.grace_seconds
  }

  enable_token_revocation       = local.client.revocation
  prevent_user_existence_errors = local.client.hide_user_existence ? "ENABLED" : "LEGACY"
  read_attributes               = local.client.read_attributes
  write_attributes              = local.client.write_attributes

  # Scopes of the resource server exist only after it.
  depends_on = [aws_cognito_resource_server.api]
}
