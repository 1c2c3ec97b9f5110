locals {
  exchange = local.stack.identity_pool
}

resource "aws_cognito_identity_pool" "this" {
  identity_pool_name               = local.name
  allow_unauthenticated_identities = local.exchange.guests
  allow_classic_flow               = local.exchange.classic_flow

  cognito_identity_providers {
    provider_name           = aws_cognito_user_pool.this.endpoint
    client_id               = aws_cognito_user_pool_client.web.id
    server_side_token_check = local.exchange.check_token_on_server
  }
}

resource "aws_cognito_identity_pool_roles_attachment" "this" {
  identity_pool_id = aws_cognito_identity_pool.this.id

  roles = {
    authenticated   = aws_iam_role.person[local.exchange.authenticated_role].arn
    unauthenticated = aws_iam_role.person[local.exchange.guest_role].arn
  }

  role_mapping {
    identity_provider         = "${aws_cognito_user_pool.this.endpoint}:${aws_cognito_user_pool_client.web.id}"
    type                      = local.exchange.role_mapping.type
    ambiguous_role_resolution = local.exchange.role_mapping.ambiguous

    dynamic "mapping_rule" {
      for_each = local.exchange.role_mapping.type == "Rules" ? local.exchange.role_mapping.rules : []
      content {
        claim      = mapping_rule.value.claim
        match_type = mapping_rule.value.match
        value      = mapping_rule.value.value
        role_arn   = aws_iam_role.person[mapping_rule.value.role].arn
      }
    }
  }
}

resource "aws_cognito_identity_pool_provider_principal_tag" "user_pool" {
  identity_pool_id       = aws_cognito_identity_pool.this.id
  identity_provider_name = aws_cognito_user_pool.this.endpoint
  use_defaults           = false
  principal_tags         = local.exchange.principal_tags
}
