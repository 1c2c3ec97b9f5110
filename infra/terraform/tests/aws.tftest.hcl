# What the offline AWS cannot run, applied to a mocked provider: the container home, branding,
# alarms, the web ACL, the pipeline's role. `terraform test` needs no credentials for it, only the
# functions' archives (python3 -m infra.bundle, at the top of the project).

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_cognito_user_pool" {
    defaults = {
      id       = "us-east-1_AbC123"
      arn      = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbC123"
      endpoint = "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC123"
    }
  }
  mock_resource "aws_cognito_user_pool_client" {
    defaults = { id = "1h57kf5cpq17m0eml12example", client_secret = "not-a-real-one" }
  }
  mock_resource "aws_cognito_identity_pool" {
    defaults = { id = "us-east-1:1234abcd-12ab-34cd-56ef-1234567890ab" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:mocked" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:mocked" }
  }
  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      id            = "a1b2c3d4e5"
      api_endpoint  = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
      execution_arn = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5"
    }
  }
  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/mocked" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mocked-AbCdEf" }
  }
  mock_resource "aws_cloudformation_stack" {
    defaults = { outputs = { Arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys-AbCdEf" } }
  }
  mock_resource "aws_ecr_repository" {
    defaults = {
      arn            = "arn:aws:ecr:us-east-1:123456789012:repository/portico"
      repository_url = "123456789012.dkr.ecr.us-east-1.amazonaws.com/portico"
    }
  }
  mock_resource "aws_lb" {
    defaults = {
      arn        = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/portico/0123456789abcdef"
      arn_suffix = "app/portico/0123456789abcdef"
      dns_name   = "portico-1.us-east-1.elb.amazonaws.com"
      zone_id    = "Z35SXDOTRQ7X7K"
    }
  }
  mock_resource "aws_lb_target_group" {
    defaults = {
      arn        = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"
      arn_suffix = "targetgroup/web/0123456789abcdef"
    }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/portico/0123456789abcdef/0123456789abcdef" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/portico:1" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:portico-alarms" }
  }
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/portico/1234abcd-12ab-34cd-56ef-1234567890ab" }
  }
}

variables {
  aws_account_id = "123456789012"
}

run "the_container_home" {
  variables {
    app_domain_name       = "portal.example.com"
    certificate_arn       = "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
    image_digest          = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    web_acl               = { enabled = true }
    alarm_email           = "operator@example.com"
    github_repository     = "example/portico"
    state_bucket          = "example-state"
    app_settings          = { LOG_LEVEL = "WARNING" }
    cognito_domain_prefix = "portal-example"
  }

  # --- the task
  assert {
    condition = alltrue([
      local.web.readonlyRootFilesystem == true,
      local.web.user == "10001:10001",
      local.web.linuxParameters.capabilities.drop == ["ALL"],
      local.web.image == "123456789012.dkr.ecr.us-east-1.amazonaws.com/portico@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ])
    error_message = "RT-16: the container runs as root, may write to its root, has capabilities, or its image is not pinned."
  }
  assert {
    condition     = local.web.healthCheck.command == ["CMD", "python", "-m", "infra.container.healthcheck"] && aws_lb_target_group.this[0].health_check[0].path == "/healthz"
    error_message = "Health is asked at /healthz."
  }
  assert {
    condition     = toset([for secret in local.web.secrets : secret.name]) == toset(["SECRET_KEY", "SECRET_KEY_FALLBACKS", "COGNITO_CLIENT_SECRET"])
    error_message = "KY-07: every secret comes from Secrets Manager."
  }
  assert {
    condition     = length(setintersection([for entry in local.web.environment : entry.name], ["SECRET_KEY", "SECRET_KEY_FALLBACKS", "COGNITO_CLIENT_SECRET"])) == 0 && !strcontains(aws_ecs_task_definition.this[0].container_definitions, "not-a-real-one")
    error_message = "KY-07: a secret stands in the task definition."
  }
  assert {
    condition = alltrue([for name, value in {
      APP_BASE_URL             = "https://portal.example.com"
      AWS_REGION               = "us-east-1"
      COGNITO_USER_POOL_ID     = "us-east-1_AbC123"
      COGNITO_CLIENT_ID        = "1h57kf5cpq17m0eml12example"
      COGNITO_IDENTITY_POOL_ID = "us-east-1:1234abcd-12ab-34cd-56ef-1234567890ab"
      API_ENDPOINT             = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
      SESSION_STORE_URL        = "dynamodb://portico-sessions"
      TRUSTED_PROXY_HOPS       = "1"
      LOG_LEVEL                = "WARNING"
    } : contains(local.web.environment, { name = name, value = value })])
    error_message = "The container does not get the settings that it needs."
  }
  assert {
    condition     = toset(data.aws_iam_policy_document.task[0].statement[0].actions) == toset([for action in ["BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"] : "dynamodb:${action}"]) && length(data.aws_iam_policy_document.task[0].statement) == 1
    error_message = "The task may do what docs/reference/settings.md lists, and nothing else."
  }
  assert {
    condition     = aws_iam_role.task[0].name != aws_iam_role.execution[0].name
    error_message = "The application must not have the role that reads secrets."
  }

  # --- the way in
  assert {
    condition     = aws_lb.this[0].idle_timeout < 75
    error_message = "The balancer has to close an idle connection before gunicorn does (keepalive, 75 s)."
  }
  assert {
    condition     = aws_lb_target_group.this[0].deregistration_delay == "30" && local.web.stopTimeout > 30
    error_message = "A leaving container has to have as long as gunicorn lets its slowest request run (graceful_timeout, 28 s)."
  }
  assert {
    condition     = aws_lb_listener.https[0].protocol == "HTTPS" && startswith(aws_lb_listener.https[0].ssl_policy, "ELBSecurityPolicy-TLS13-1-2") && aws_lb_listener.http[0].default_action[0].type == "redirect"
    error_message = "Browsers get TLS 1.2 or later, and nothing in the clear."
  }
  assert {
    condition     = length(aws_route53_record.certificate) == 0 && length(aws_route53_record.application) == 0
    error_message = "Without a zone no record can be made."
  }
  assert {
    condition     = aws_ecs_service.this[0].network_configuration[0].assign_public_ip == false && length(aws_nat_gateway.this) == 1 && length(aws_subnet.private) == 2
    error_message = "Containers are private unless nat_gateways is 0."
  }
  assert {
    condition     = length([for rule in [aws_vpc_security_group_ingress_rule.from_load_balancer[0]] : rule if rule.cidr_ipv4 == null && rule.from_port == 8000]) == 1
    error_message = "Only the load balancer reaches the containers."
  }

  # --- around it
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 16 && alltrue([for alarm in aws_cloudwatch_metric_alarm.this : contains(alarm.alarm_actions, "arn:aws:sns:us-east-1:123456789012:portico-alarms")])
    error_message = "Alarms are missing or tell nobody."
  }
  assert {
    condition     = length(aws_wafv2_web_acl.this) == 1 && length(aws_wafv2_web_acl_association.load_balancer) == 1 && length(aws_wafv2_web_acl_association.user_pool) == 1
    error_message = "The web ACL stands before nothing."
  }
  assert {
    condition     = contains([for condition in data.aws_iam_policy_document.pipeline_trust[0].statement[0].condition : tolist(condition.values) if endswith(condition.variable, ":sub") && condition.test == "StringEquals"], tolist(["repo:example/portico:ref:refs/heads/main", "repo:example/portico:environment:production"]))
    error_message = "SC-05: the pipeline's role is not pinned to one branch and one environment of one repository."
  }
  assert {
    condition     = aws_appautoscaling_target.service[0].min_capacity == 2 && aws_appautoscaling_target.service[0].max_capacity == 6
    error_message = "The service does not scale within its limits."
  }
  assert {
    condition     = aws_cognito_user_pool_client.web.callback_urls == toset(["https://portal.example.com/callback"]) && aws_cognito_user_pool_client.web.logout_urls == toset(["https://portal.example.com/"])
    error_message = "The app client does not know the application's addresses."
  }
  assert {
    condition     = output.image_repository == "123456789012.dkr.ecr.us-east-1.amazonaws.com/portico" && output.load_balancer == "portico-1.us-east-1.elb.amazonaws.com"
    error_message = "The outputs do not say where to push and where to point the address."
  }
}

run "everything_else_that_can_be_chosen" {
  command = plan

  variables {
    app_domain_name                       = "portal.example.com"
    route53_zone_id                       = "Z0123456789ABCDEFGHIJ"
    nat_gateways                          = 0
    availability_zones                    = 3
    kms_key_arn                           = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    deletion_protection                   = false
    user_pool_tier                        = "PLUS"
    threat_protection                     = "ENFORCED"
    ses_source_arn                        = "arn:aws:ses:us-east-1:123456789012:identity/example.com"
    cognito_custom_domain                 = "auth.example.com"
    cognito_custom_domain_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
    identity_providers = {
      Okta = { type = "SAML", details = { MetadataURL = "https://idp.example.com/metadata" }, identifiers = ["example.org"] }
      Google = {
        type       = "OIDC"
        details    = { client_id = "c", oidc_issuer = "https://accounts.google.com", authorize_scopes = "openid email", attributes_request_method = "GET" }
        attributes = { email = "email", name = "name" }
      }
    }
    identity_provider_secrets = { Google = "s" }
  }

  override_resource {
    target = aws_acm_certificate.this
    values = {
      arn                       = "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
      domain_validation_options = [{ domain_name = "portal.example.com", resource_record_name = "_a.portal.example.com", resource_record_type = "CNAME", resource_record_value = "_b.acm-validations.aws" }]
    }
    override_during = plan
  }

  assert {
    condition     = length(aws_ecs_service.this) == 0 && length(aws_ecr_repository.this) == 1 && length(aws_lb.this) == 1
    error_message = "Without an image there is a repository to push to, and no service yet."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_subnet.private) == 0 && length(aws_subnet.public) == 3
    error_message = "nat_gateways = 0 still pays for a way out."
  }
  assert {
    condition     = aws_route53_record.certificate[0].name == "_a.portal.example.com" && aws_route53_record.application[0].type == "A"
    error_message = "With a zone the certificate is proved and the address set."
  }
  assert {
    condition     = output.settings.COGNITO_DOMAIN == "https://auth.example.com" && output.settings.COGNITO_IDENTITY_PROVIDERS == "Google,Okta"
    error_message = "The application does not learn of the custom domain or the providers."
  }
  assert {
    condition     = aws_cognito_user_pool_client.web.supported_identity_providers == toset(["COGNITO", "Google", "Okta"])
    error_message = "The app client does not offer the identity providers."
  }
  assert {
    condition     = aws_cognito_user_pool.this.user_pool_add_ons[0].advanced_security_mode == "ENFORCED" && length(aws_cognito_risk_configuration.this) == 1
    error_message = "Threat protection is off."
  }
  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "INACTIVE" && aws_secretsmanager_secret.app_client[0].recovery_window_in_days == 0 && aws_ecr_repository.this[0].force_delete
    error_message = "A teardown would be refused or leave something behind."
  }
  assert {
    condition     = aws_dynamodb_table.sessions.server_side_encryption[0].kms_key_arn == var.kms_key_arn
    error_message = "The key of ours is not used."
  }
}

run "triggers_and_rules_but_no_container_home" {
  command = plan

  variables {
    stack_file = "tests/stack-with-triggers.yaml"
  }

  assert {
    condition     = length(aws_lb.this) == 0 && length(aws_vpc.this) == 0 && length(aws_ecr_repository.this) == 0
    error_message = "Parts of the container home are made although app_domain_name is null."
  }
  assert {
    condition     = output.settings.APP_BASE_URL == "http://localhost:8000"
    error_message = "Without a domain the application is the one on the developer's machine."
  }
  assert {
    condition     = length(aws_cloudformation_stack.branding) == 1
    error_message = "A Managed Login domain without a branding style shows a broken page."
  }
  assert {
    condition     = aws_cognito_user_pool_domain.this.domain == "portico-123456789012"
    error_message = "The prefix has to be unique in the region."
  }
  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "ACTIVE" && alltrue([for table in [aws_dynamodb_table.permissions, aws_dynamodb_table.users, aws_dynamodb_table.sessions] : table.deletion_protection_enabled])
    error_message = "Deletion protection is on unless it is switched off."
  }

  assert {
    condition     = keys(aws_lambda_function.trigger) == ["people"] && keys(aws_lambda_function.api) == ["api"]
    error_message = "A trigger has to exist before the user pool, another function after it."
  }
  assert {
    condition     = aws_cognito_user_pool.this.lambda_config[0].pre_token_generation_config[0].lambda_version == "V2_0"
    error_message = "Only version 2 of the token trigger can write into the access token."
  }
  assert {
    condition     = keys(aws_iam_role.person) == ["developer", "guest"] && keys(aws_cognito_user_group.this) == ["Developer"] && length(aws_cloudformation_stack.first_groups) == 0
    error_message = "What exists only offline is made on AWS, or a group of precedence 0 that nobody asked for."
  }
  assert {
    condition     = data.aws_iam_policy_document.function_tables["people/users"].statement[0].actions == toset(["dynamodb:GetItem", "dynamodb:PutItem"]) && data.aws_iam_policy_document.function_pool["people"].statement[0].actions == toset(["cognito-idp:AdminAddUserToGroup"])
    error_message = "The function may not do with its table what the stack file says."
  }
  assert {
    condition     = output.settings.AWS_REGION == "eu-central-1" && startswith(output.managed_login_origin, "https://portico-123456789012.auth.eu-central-1.")
    error_message = "The region of the stack file is not followed."
  }
  assert {
    condition     = aws_lambda_function.trigger["people"].environment[0].variables == tomap({ USERS = "portico-users" })
    error_message = "The trigger does not learn the name of its table."
  }
  assert {
    condition     = aws_lambda_permission.user_pool["people"].principal == "cognito-idp.amazonaws.com"
    error_message = "The user pool may not invoke its trigger."
  }
  assert {
    condition     = length(aws_cognito_identity_pool_roles_attachment.this.role_mapping[*].mapping_rule) == 1 && one(aws_cognito_identity_pool_roles_attachment.this.role_mapping).type == "Rules"
    error_message = "Role mapping by rules is not passed on."
  }
}

# --- What is refused before anything is made ------------------------------------------------------

run "the_offline_account_is_refused" {
  command = plan

  override_data {
    target = data.aws_caller_identity.current
    values = { account_id = "000000000000" }
  }

  expect_failures = [data.aws_caller_identity.current]
}

run "an_aws_account_is_refused_for_local" {
  command = plan

  variables {
    target           = "local"
    offline_endpoint = "http://127.0.0.1:4566"
  }

  expect_failures = [data.aws_caller_identity.current]
}

run "values_that_cannot_be_meant_are_refused" {
  command = plan

  variables {
    target                = "cloud"
    aws_account_id        = "12345"
    app_base_url          = "http://portal.example.com"
    app_domain_name       = "portal.example.com"
    cognito_domain_prefix = "my-cognito"
    cognito_custom_domain = "auth.example.com"
    image_digest          = "latest"
    github_repository     = "*/*"
    github_branch         = "*"
    github_environment    = "*"
    app_settings          = { SECRET_KEY = "s" }
    identity_providers    = { Google = { type = "OIDC", details = { client_secret = "s" } } }
    scaling               = { minimum = 3, maximum = 2 }
    web_acl               = { sign_in_limit = 5 }
    vpc_cidr              = "10.0.0.0/24"
    container             = { architecture = "MIPS" }
    availability_zones    = 1
    user_pool_tier        = "GOLD"
  }

  expect_failures = [
    var.target,
    var.aws_account_id,
    var.app_base_url,
    var.certificate_arn,
    var.cognito_domain_prefix,
    var.cognito_custom_domain_certificate_arn,
    var.image_digest,
    var.github_repository,
    var.github_branch,
    var.github_environment,
    var.app_settings,
    var.identity_providers,
    var.scaling,
    var.web_acl,
    var.vpc_cidr,
    var.container,
    var.availability_zones,
    var.user_pool_tier,
  ]
}

run "values_that_contradict_each_other_are_refused" {
  command = plan

  variables {
    offline_endpoint  = "http://127.0.0.1:4566"
    threat_protection = "ENFORCED"
    nat_gateways      = 3
    app_domain_name   = "portal.example.com"
  }

  expect_failures = [
    var.certificate_arn,
    var.nat_gateways,
    var.offline_endpoint,
    var.threat_protection,
  ]
}
