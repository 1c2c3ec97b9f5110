# Documents and who shares them. The index turns the keys round.
resource "aws_dynamodb_table" "permissions" {
  #checkov:skip=CKV2_AWS_16:billed by request, which needs no scaling
  name                        = "${local.name}-permissions"
  billing_mode                = local.stack.permissions_table.billing
  hash_key                    = local.stack.permissions_table.partition_key
  range_key                   = local.stack.permissions_table.sort_key
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = local.stack.permissions_table.partition_key
    type = "S"
  }

  attribute {
    name = local.stack.permissions_table.sort_key
    type = "S"
  }

  global_secondary_index {
    name            = local.stack.permissions_table.index
    hash_key        = local.stack.permissions_table.sort_key
    range_key       = local.stack.permissions_table.partition_key
    projection_type = "ALL"
  }

  ttl {
    attribute_name = local.stack.permissions_table.ttl
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}

# One record for each person who confirmed a sign-up.
resource "aws_dynamodb_table" "users" {
  #checkov:skip=CKV2_AWS_16:billed by request, which needs no scaling
  name                        = "${local.name}-users"
  billing_mode                = local.stack.users_table.billing
  hash_key                    = local.stack.users_table.partition_key
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = local.stack.users_table.partition_key
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}

# The application's sessions. No way back in time: a session that was ended must stay so. The
# records are sealed with keys that this table does not hold.
resource "aws_dynamodb_table" "sessions" {
  #checkov:skip=CKV_AWS_28:a session that was ended must not come back
  name                        = "${local.name}-sessions"
  billing_mode                = local.stack.session_table.billing
  hash_key                    = local.stack.session_table.partition_key
  range_key                   = local.stack.session_table.sort_key
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = local.stack.session_table.partition_key
    type = "B"
  }

  attribute {
    name = local.stack.session_table.sort_key
    type = "B"
  }

  ttl {
    attribute_name = local.stack.session_table.ttl
    enabled        = true
  }

  point_in_time_recovery {
    enabled = false
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}
