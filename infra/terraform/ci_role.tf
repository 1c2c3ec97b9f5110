# The pipeline's role, without a key that could leak: GitHub vouches for one branch of one
# repository. It may push images, read what a plan reads, and change two things: the task and the
# service. An apply that would change more is refused by IAM, and is a person's to make.

locals {
  pipeline = local.on_aws && var.github_repository != null ? 1 : 0

  github_host         = "token.actions.githubusercontent.com"
  makes_oidc_provider = local.pipeline == 1 && var.github_oidc_provider_arn == null ? 1 : 0
  oidc_provider_arn   = local.makes_oidc_provider == 1 ? aws_iam_openid_connect_provider.github[0].arn : var.github_oidc_provider_arn
}

resource "aws_iam_openid_connect_provider" "github" {
  count = local.makes_oidc_provider

  url            = "https://${local.github_host}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "pipeline_trust" {
  count = local.pipeline

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [local.oidc_provider_arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.github_host}:aud"
      values   = ["sts.amazonaws.com"]
    }
    # Whole subjects, no wildcard: not a fork, a pull request, another branch or environment.
    condition {
      test     = "StringEquals"
      variable = "${local.github_host}:sub"
      values = concat(
        ["repo:${var.github_repository}:ref:refs/heads/${var.github_branch}"],
        var.github_environment == null ? [] : ["repo:${var.github_repository}:environment:${var.github_environment}"],
      )
    }
  }
}

data "aws_iam_policy_document" "pipeline_images" {
  count = local.pipeline * local.home

  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # the action knows no resource
  }
  statement {
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = [aws_ecr_repository.this[0].arn]
  }
}

# An apply in which nothing but the image differs.
data "aws_iam_policy_document" "pipeline_deploy" {
  count = local.pipeline * local.home * (var.state_bucket == null ? 0 : 1)

  statement {
    actions   = ["s3:ListBucket"]
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}"]
  }
  statement {
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}/${local.name}/*"]
  }
  dynamic "statement" {
    # The state has it as well. SECRET_KEY stays out of the pipeline's sight.
    for_each = local.client_secrets
    content {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value.arn]
    }
  }
  statement {
    # Neither action knows a resource before it exists.
    actions   = ["ecs:DeregisterTaskDefinition", "ecs:RegisterTaskDefinition"]
    resources = ["*"]
  }
  statement {
    actions   = ["ecs:TagResource"]
    resources = ["arn:${local.partition}:ecs:${local.region}:${local.account}:task-definition/${local.name}:*"]
  }
  statement {
    actions   = ["ecs:UpdateService"]
    resources = ["arn:${local.partition}:ecs:${local.region}:${local.account}:service/${local.name}/${local.name}"]
  }
  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.task[0].arn, aws_iam_role.execution[0].arn]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
  # ReadOnlyAccess, below, reads content as well; a plan needs none of it.
  statement {
    effect = "Deny"
    actions = [
      "cognito-idp:AdminGetUser",
      "cognito-idp:AdminList*",
      "cognito-idp:ListUsers*",
      "dynamodb:BatchGetItem",
      "dynamodb:GetItem",
      "dynamodb:Query",
      "dynamodb:Scan",
      "logs:FilterLogEvents",
      "logs:GetLogEvents",
      "logs:StartQuery",
      "ssm:GetParameter*",
    ]
    resources = ["*"]
  }
  statement {
    effect        = "Deny"
    actions       = ["s3:GetObject*"]
    not_resources = ["arn:${local.partition}:s3:::${var.state_bucket}/${local.name}/*", "${aws_s3_bucket.functions.arn}/*"]
  }
}

resource "aws_iam_role" "pipeline" {
  count = local.pipeline

  name                 = "${local.name}-pipeline"
  description          = "${local.name}: what ${var.github_repository} may do on ${var.github_branch}"
  assume_role_policy   = data.aws_iam_policy_document.pipeline_trust[0].json
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "pipeline_images" {
  count = local.pipeline * local.home

  name   = "images"
  role   = aws_iam_role.pipeline[0].id
  policy = data.aws_iam_policy_document.pipeline_images[0].json
}

resource "aws_iam_role_policy" "pipeline_deploy" {
  count = length(data.aws_iam_policy_document.pipeline_deploy)

  name   = "deploy"
  role   = aws_iam_role.pipeline[0].id
  policy = data.aws_iam_policy_document.pipeline_deploy[0].json
}

resource "aws_iam_role_policy_attachment" "pipeline_reads" {
  count = length(data.aws_iam_policy_document.pipeline_deploy)

  role       = aws_iam_role.pipeline[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/ReadOnlyAccess"
}
