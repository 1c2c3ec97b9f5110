locals {
  # What the offline provisioner reads as well; see the head of that file.
  stack = yamldecode(file("${path.module}/${var.stack_file}"))

  name    = local.stack.name
  region  = coalesce(var.region, local.stack.region)
  offline = var.target == "local"
  on_aws  = var.target == "aws"

  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # The container home is made when there is an address to serve it under.
  home   = local.on_aws && var.app_domain_name != null ? 1 : 0
  serves = local.home == 1 && var.image_digest != null ? 1 : 0

  app_base_url = trimsuffix(coalesce(
    var.app_base_url,
    var.app_domain_name == null ? "http://localhost:8000" : "https://${var.app_domain_name}",
  ), "/")

  # `demo: true` marks what exists only offline, to be looked at.
  groups = { for key, group in local.stack.groups : key => group if !try(group.demo, false) }
  roles  = { for key, role in local.stack.roles : key => role if !try(role.demo, false) }

  # Triggers are made before the user pool, the other functions after it.
  triggers        = local.stack.triggers.functions
  trigger_keys    = toset(values(local.triggers))
  trigger_lambdas = { for key, function in local.stack.functions : key => function if contains(local.trigger_keys, key) }
  api_lambdas     = { for key, function in local.stack.functions : key => function if !contains(local.trigger_keys, key) }

  # The facts that a function's environment may name: first those that are known before anything is
  # made, which is all that a trigger may ask for.
  early_facts = {
    "permissions_table.name"        = "${local.name}-permissions"
    "users_table.name"              = "${local.name}-users"
    "triggers.allowed_domains"      = join(",", local.stack.triggers.allowed_domains)
    "triggers.auto_confirm_domains" = join(",", local.stack.triggers.auto_confirm_domains)
    "triggers.department_groups"    = jsonencode(local.stack.triggers.department_groups)
    "triggers.default_group"        = local.stack.triggers.default_group
    "triggers.product"              = local.stack.triggers.product
    "triggers.group_scopes" = jsonencode({
      for group, scopes in local.stack.triggers.group_scopes : group => [
        for scope in scopes : "${local.stack.resource_server.identifier}/${scope}"
      ]
    })
    # By name, not from what was made: the pool calls the function before the roles exist.
    "groups" = jsonencode({
      for name, group in local.groups : name => {
        precedence = group.precedence
        role_arn   = "arn:${local.partition}:iam::${local.account}:role/${local.name}-${group.role}"
      }
    })
  }
  facts = merge(local.early_facts, {
    "user_pool.issuer" = local.issuer
    # Offline the issuer is Amazon's address all the same; the key set is served elsewhere.
    "user_pool.jwks_url" = local.offline ? "${var.offline_endpoint}/${aws_cognito_user_pool.this.id}/.well-known/jwks.json" : "${local.issuer}/.well-known/jwks.json"
    "app_client.id"      = aws_cognito_user_pool_client.web.id
  })

  tags = merge({ Project = local.name, ManagedBy = "terraform" }, var.tags)
}
