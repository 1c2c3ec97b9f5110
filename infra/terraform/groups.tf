locals {
  # The provider does not send a precedence of 0 (hashicorp/terraform-provider-aws issue 7524), and a
  # group without one comes last: an administrator who is in a second group would get that group's
  # role. So the first group goes through CloudFormation, which sends it.
  first_groups = { for name, group in local.groups : name => group if group.precedence == 0 }
  other_groups = { for name, group in local.groups : name => group if group.precedence != 0 }
}

resource "aws_cognito_user_group" "this" {
  for_each = local.other_groups

  user_pool_id = aws_cognito_user_pool.this.id
  name         = each.key
  description  = each.value.description
  precedence   = each.value.precedence
  role_arn     = aws_iam_role.person[each.value.role].arn
}

resource "aws_cloudformation_stack" "first_groups" {
  count = length(local.first_groups) > 0 ? 1 : 0

  name = "${local.name}-first-groups"
  template_body = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "Groups of ${local.name} with precedence 0"
    Resources = {
      for name, group in local.first_groups : replace(name, "/[^A-Za-z0-9]/", "") => {
        Type = "AWS::Cognito::UserPoolGroup"
        Properties = {
          UserPoolId  = aws_cognito_user_pool.this.id
          GroupName   = name
          Description = group.description
          Precedence  = group.precedence
          RoleArn     = aws_iam_role.person[group.role].arn
        }
      }
    }
  })
}
