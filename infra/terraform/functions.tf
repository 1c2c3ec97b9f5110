# The archives come from `python3 -m infra.bundle` (standard library, the same bytes everywhere), so
# that a plan shows a change only where code changed.

locals {
  archive_packages = toset([for function in local.stack.functions : function.package])
  archives         = { for package in local.archive_packages : package => "${path.module}/${var.archives}/${package}.zip" }
  archive_hashes   = { for package, file in local.archives : package => fileexists(file) ? filebase64sha256(file) : null }

  table_arns = {
    permissions = aws_dynamodb_table.permissions.arn
    users       = aws_dynamodb_table.users.arn
  }
  # One policy for each table that a function uses.
  function_tables = merge([
    for key, function in local.stack.functions : {
      for table, actions in try(function.tables, {}) : "${key}/${table}" => { function = key, table = table, actions = actions }
    }
  ]...)
  function_pools = { for key, function in local.stack.functions : key => function.user_pool if length(try(function.user_pool, [])) > 0 }
}

data "aws_iam_policy_document" "lambda_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "function_logs" {
  for_each = local.stack.functions

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"]
  }
}

data "aws_iam_policy_document" "function_tables" {
  for_each = local.function_tables

  statement {
    actions   = [for action in each.value.actions : "dynamodb:${action}"]
    resources = [local.table_arns[each.value.table], "${local.table_arns[each.value.table]}/index/*"]
  }
}

data "aws_iam_policy_document" "function_pool" {
  for_each = local.function_pools

  statement {
    actions   = [for action in each.value : "cognito-idp:${action}"]
    resources = [aws_cognito_user_pool.this.arn]
  }
}

resource "aws_iam_role" "function" {
  for_each = local.stack.functions

  name               = "${local.name}-${each.key}-function"
  description        = "${local.name}: what the function ${each.key} runs as"
  assume_role_policy = data.aws_iam_policy_document.lambda_trust.json
}

resource "aws_iam_role_policy" "function_logs" {
  for_each = local.stack.functions

  name   = "logs"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.function_logs[each.key].json
}

resource "aws_iam_role_policy" "function_tables" {
  for_each = local.function_tables

  name   = "table-${each.value.table}"
  role   = aws_iam_role.function[each.value.function].id
  policy = data.aws_iam_policy_document.function_tables[each.key].json
}

resource "aws_iam_role_policy" "function_pool" {
  for_each = local.function_pools

  name   = "user-pool"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.function_pool[each.key].json
}

# Functions that are made from archives in S3 are made side by side; uploaded ones wait in a row, five
# seconds each. The name of an archive is its hash, so nothing in here is ever changed.
resource "aws_s3_bucket" "functions" {
  #checkov:skip=CKV_AWS_18:only an apply reads or writes here
  #checkov:skip=CKV_AWS_21:an archive is never overwritten, and can be made again from this repository
  #checkov:skip=CKV_AWS_144:as above
  #checkov:skip=CKV_AWS_145:code that is in this repository; S3 encrypts it with a key of its own
  #checkov:skip=CKV2_AWS_61:a few kilobytes for each version of the code
  #checkov:skip=CKV2_AWS_62:nobody waits for an archive
  bucket        = "${local.name}-functions-${local.account}-${local.region}"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "functions" {
  bucket = aws_s3_bucket.functions.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_object" "archive" {
  for_each = local.archives

  bucket = aws_s3_bucket.functions.id
  key    = "${each.key}/${fileexists(each.value) ? filesha256(each.value) : "missing"}.zip"
  source = each.value

  lifecycle {
    create_before_destroy = true
    precondition {
      condition     = fileexists(each.value)
      error_message = "The archive ${each.value} is missing. At the top of the project run: python3 -m infra.bundle"
    }
  }
}

resource "aws_lambda_function" "api" {
  for_each = local.api_lambdas

  function_name    = "${local.name}-${each.key}"
  role             = aws_iam_role.function[each.key].arn
  handler          = each.value.handler
  runtime          = each.value.runtime
  architectures    = [each.value.architecture]
  memory_size      = each.value.memory_mb
  timeout          = each.value.timeout_seconds
  s3_bucket        = aws_s3_bucket.functions.id
  s3_key           = aws_s3_object.archive[each.value.package].key
  source_code_hash = local.archive_hashes[each.value.package]

  environment {
    variables = { for name, fact in each.value.environment : name => local.facts[fact] }
  }

  # Else the first call would make a log group of its own, without an end to its logs.
  depends_on = [aws_cloudwatch_log_group.function, aws_iam_role_policy.function_logs]
}

# Triggers of the user pool. They come before it, so their environment can name only what is known before.
resource "aws_lambda_function" "trigger" {
  for_each = local.trigger_lambdas

  function_name    = "${local.name}-${each.key}"
  role             = aws_iam_role.function[each.key].arn
  handler          = each.value.handler
  runtime          = each.value.runtime
  architectures    = [each.value.architecture]
  memory_size      = each.value.memory_mb
  timeout          = each.value.timeout_seconds
  s3_bucket        = aws_s3_bucket.functions.id
  s3_key           = aws_s3_object.archive[each.value.package].key
  source_code_hash = local.archive_hashes[each.value.package]

  dynamic "environment" {
    for_each = length(each.value.environment) > 0 ? [each.value.environment] : []
    content {
      variables = { for name, fact in environment.value : name => local.early_facts[fact] }
    }
  }

  depends_on = [aws_cloudwatch_log_group.function, aws_iam_role_policy.function_logs]
}

resource "aws_lambda_permission" "user_pool" {
  for_each = local.trigger_lambdas

  statement_id  = "user-pool"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.trigger[each.key].function_name
  principal     = "cognito-idp.amazonaws.com"
  source_arn    = aws_cognito_user_pool.this.arn
}
