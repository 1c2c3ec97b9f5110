locals {
  issuer = "https://${aws_cognito_user_pool.this.endpoint}"

  pool = local.stack.user_pool

  pre_token_function = lookup(local.triggers, "pre_token_generation", null)
}

resource "aws_cognito_user_pool" "this" {
  name           = local.name
  user_pool_tier = coalesce(var.user_pool_tier, local.pool.tier)

  deletion_protection      = var.deletion_protection ? "ACTIVE" : "INACTIVE"
  username_attributes      = local.pool.sign_in_with
  auto_verified_attributes = local.pool.verify
  mfa_configuration        = local.pool.mfa

  username_configuration {
    case_sensitive = local.pool.case_sensitive
  }

  admin_create_user_config {
    allow_admin_create_user_only = !local.pool.self_sign_up
  }

  user_attribute_update_settings {
    attributes_require_verification_before_update = local.pool.verify_before_update
  }

  password_policy {
    minimum_length                   = local.pool.password.minimum_length
    require_lowercase                = contains(local.pool.password.require, "lowercase")
    require_uppercase                = contains(local.pool.password.require, "uppercase")
    require_numbers                  = contains(local.pool.password.require, "numbers")
    require_symbols                  = contains(local.pool.password.require, "symbols")
    temporary_password_validity_days = local.pool.password.temporary_days
  }

  dynamic "software_token_mfa_configuration" {
    for_each = contains(local.pool.mfa_methods, "SOFTWARE_TOKEN_MFA") ? [true] : []
    content {
      enabled = true
    }
  }

  account_recovery_setting {
    dynamic "recovery_mechanism" {
      for_each = local.pool.recovery
      content {
        name     = recovery_mechanism.value
        priority = recovery_mechanism.key + 1
      }
    }
  }

  # On AWS an attribute can be added later, but never changed or removed.
  dynamic "schema" {
    for_each = local.pool.custom_attributes
    content {
      name                     = schema.key
      attribute_data_type      = schema.value.kind
      mutable                  = schema.value.mutable
      developer_only_attribute = false
      required                 = false
      string_attribute_constraints {
        min_length = schema.value.min_length
        max_length = schema.value.max_length
      }
    }
  }

  dynamic "email_configuration" {
    for_each = var.ses_source_arn == null ? [] : [var.ses_source_arn]
    content {
      email_sending_account = "DEVELOPER"
      source_arn            = email_configuration.value
    }
  }

  dynamic "user_pool_add_ons" {
    for_each = var.threat_protection == "OFF" ? [] : [var.threat_protection]
    content {
      advanced_security_mode = user_pool_add_ons.value
    }
  }

  dynamic "lambda_config" {
    for_each = length(local.triggers) == 0 ? [] : [local.triggers]
    iterator = trigger
    content {
      pre_sign_up         = try(aws_lambda_function.trigger[trigger.value.pre_sign_up].arn, null)
      post_confirmation   = try(aws_lambda_function.trigger[trigger.value.post_confirmation].arn, null)
      custom_message      = try(aws_lambda_function.trigger[trigger.value.custom_message].arn, null)
      pre_authentication  = try(aws_lambda_function.trigger[trigger.value.pre_authentication].arn, null)
      post_authentication = try(aws_lambda_function.trigger[trigger.value.post_authentication].arn, null)

      # Version 2 writes into the access token as well. The old form of this trigger is computed
      # by the provider and must stay out.
      dynamic "pre_token_generation_config" {
        for_each = local.pre_token_function == null ? [] : [local.pre_token_function]
        content {
          lambda_arn     = aws_lambda_function.trigger[pre_token_generation_config.value].arn
          lambda_version = "V2_0"
        }
      }
    }
  }
}

resource "aws_cognito_resource_server" "api" {
  user_pool_id = aws_cognito_user_pool.this.id
  identifier   = local.stack.resource_server.identifier
  name         = local.stack.resource_server.identifier

  dynamic "scope" {
    for_each = local.stack.resource_server.scopes
    content {
      scope_name        = scope.key
      scope_description = scope.value
    }
  }
}

# What is done about a risk that threat protection finds. Without mail of its own the pool blocks
# known passwords only: what asks a person for more has to be able to tell that person.
resource "aws_cognito_risk_configuration" "this" {
  count = local.on_aws && var.threat_protection == "ENFORCED" ? 1 : 0

  user_pool_id = aws_cognito_user_pool.this.id

  compromised_credentials_risk_configuration {
    event_filter = ["SIGN_IN", "PASSWORD_CHANGE", "SIGN_UP"]
    actions {
      event_action = "BLOCK"
    }
  }

  dynamic "account_takeover_risk_configuration" {
    for_each = var.ses_source_arn == null ? [] : [var.ses_source_arn]
    content {
      notify_configuration {
        source_arn = account_takeover_risk_configuration.value
      }
      actions {
        medium_action {
          event_action = "MFA_IF_CONFIGURED"
          notify       = true
        }
        high_action {
          event_action = "MFA_REQUIRED"
          notify       = true
        }
      }
    }
  }
}
