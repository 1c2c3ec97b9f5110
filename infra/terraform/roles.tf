# The roles that the identity pool hands out, and what they may call. IAM refuses the rest.

data "aws_iam_policy_document" "person_trust" {
  for_each = local.roles

  statement {
    # TagSession is for the principal tags; a guest has none.
    actions = concat(
      ["sts:AssumeRoleWithWebIdentity"],
      each.value.trust == "authenticated" ? ["sts:TagSession"] : [],
    )
    principals {
      type        = "Federated"
      identifiers = ["cognito-identity.amazonaws.com"]
    }
    # Both are needed: without the first, any identity pool of the world could use the role.
    condition {
      test     = "StringEquals"
      variable = "cognito-identity.amazonaws.com:aud"
      values   = [aws_cognito_identity_pool.this.id]
    }
    condition {
      test     = "ForAnyValue:StringLike"
      variable = "cognito-identity.amazonaws.com:amr"
      values   = [each.value.trust]
    }
  }
}

data "aws_iam_policy_document" "person_invoke" {
  for_each = local.roles

  statement {
    actions   = ["execute-api:Invoke"]
    resources = [for pattern in each.value.invoke : "${aws_apigatewayv2_api.this.execution_arn}/${local.stack.http_api.stage}/${replace(pattern, " ", "")}"]
  }
}

resource "aws_iam_role" "person" {
  for_each = local.roles

  name               = "${local.name}-${each.key}"
  description        = "${local.name}: what a person or guest with the role ${each.key} may call"
  assume_role_policy = data.aws_iam_policy_document.person_trust[each.key].json
}

resource "aws_iam_role_policy" "person_invoke" {
  for_each = local.roles

  name   = "invoke"
  role   = aws_iam_role.person[each.key].id
  policy = data.aws_iam_policy_document.person_invoke[each.key].json
}
