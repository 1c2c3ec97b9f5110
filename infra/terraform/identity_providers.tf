resource "aws_cognito_identity_provider" "this" {
  for_each = var.identity_providers

  user_pool_id      = aws_cognito_user_pool.this.id
  provider_name     = each.key
  provider_type     = each.value.type
  idp_identifiers   = each.value.identifiers
  attribute_mapping = each.value.attributes
  provider_details = merge(
    each.value.details,
    contains(nonsensitive(keys(var.identity_provider_secrets)), each.key) ? { client_secret = var.identity_provider_secrets[each.key] } : {},
  )

  lifecycle {
    # Cognito adds what it read in the metadata or the discovery document.
    ignore_changes = [
      provider_details["ActiveEncryptionCertificate"],
      provider_details["SLORedirectBindingURI"],
      provider_details["SSORedirectBindingURI"],
    ]
  }
}
