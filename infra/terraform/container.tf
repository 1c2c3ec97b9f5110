# The application's home: image repository, cluster, task, service and their roles.

locals {
  image = local.serves == 1 ? "${aws_ecr_repository.this[0].repository_url}@${var.image_digest}" : null

  # Each variable of docs/reference/settings.md that the container gets; app_settings adds to them.
  container_environment = merge(
    local.settings,
    {
      SESSION_STORE_URL  = local.session_store_url
      TRUSTED_PROXY_HOPS = "1" # the load balancer
      LOG_FORMAT         = "json"
      PORT               = tostring(local.container_tcp)
      WEB_CONCURRENCY    = tostring(var.container.workers)
    },
    var.app_settings,
  )
  container_secrets = local.home == 0 ? {} : merge(
    {
      SECRET_KEY           = "${local.keys_arn}:SECRET_KEY::"
      SECRET_KEY_FALLBACKS = "${local.keys_arn}:SECRET_KEY_FALLBACKS::"
    },
    { for name, secret in local.client_secrets : name => "${secret.arn}:${name}::" },
  )

  web = local.serves == 0 ? null : {
    name                   = "web"
    image                  = local.image
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    stopTimeout            = local.stop_timeout
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    portMappings           = [{ containerPort = local.container_tcp, hostPort = local.container_tcp, protocol = "tcp" }]
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    environment            = [for name in sort(keys(local.container_environment)) : { name = name, value = local.container_environment[name] }]
    secrets                = [for name in sort(keys(local.container_secrets)) : { name = name, valueFrom = local.container_secrets[name] }]
    healthCheck = {
      # ECS does not look at the image's own HEALTHCHECK.
      command     = ["CMD", "python", "-m", "infra.container.healthcheck"]
      interval    = 10
      timeout     = 3
      retries     = 3
      startPeriod = 20
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.application[0].name
        awslogs-region        = local.region
        awslogs-stream-prefix = "web"
        # A log that cannot be delivered must not stop the application.
        mode            = "non-blocking"
        max-buffer-size = "4m"
      }
    }
  }
}

resource "aws_ecr_repository" "this" {
  count = local.home

  name                 = local.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = !var.deletion_protection

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = var.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  count = local.home

  repository = aws_ecr_repository.this[0].name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "The last twenty images are enough to go back to"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 20 }
      action       = { type = "expire" }
    }]
  })
}

# --- Roles --------------------------------------------------------------------------------------

data "aws_iam_policy_document" "tasks_trust" {
  count = local.home

  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

# What the application itself may do: keep its sessions. It never signs a person's call.
data "aws_iam_policy_document" "task" {
  count = local.home

  statement {
    actions = [
      "dynamodb:BatchGetItem",
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem",
    ]
    resources = [aws_dynamodb_table.sessions.arn]
  }
}

# What ECS does before the application starts: fetch the image and the secrets, open the log.
data "aws_iam_policy_document" "execution" {
  count = local.home

  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # the action knows no resource
  }
  statement {
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [aws_ecr_repository.this[0].arn]
  }
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.application[0].arn}:*"]
  }
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = concat([local.keys_arn], values(local.client_secrets)[*].arn)
  }
  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]
    content {
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role" "task" {
  count = local.home

  name               = "${local.name}-task"
  description        = "${local.name}: what the application runs as"
  assume_role_policy = data.aws_iam_policy_document.tasks_trust[0].json
}

resource "aws_iam_role_policy" "task" {
  count = local.home

  name   = "sessions"
  role   = aws_iam_role.task[0].id
  policy = data.aws_iam_policy_document.task[0].json
}

resource "aws_iam_role" "execution" {
  count = local.home

  name               = "${local.name}-execution"
  description        = "${local.name}: how ECS starts the application"
  assume_role_policy = data.aws_iam_policy_document.tasks_trust[0].json
}

resource "aws_iam_role_policy" "execution" {
  count = local.home

  name   = "start"
  role   = aws_iam_role.execution[0].id
  policy = data.aws_iam_policy_document.execution[0].json
}

# --- Service ------------------------------------------------------------------------------------

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:see the setting below
  count = local.home

  name = local.name

  setting {
    name  = "containerInsights"
    value = "disabled" # custom metrics at a price; the alarms use those that ECS sends anyway
  }
}

resource "aws_ecs_task_definition" "this" {
  count = local.serves

  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.container.cpu
  memory                   = var.container.memory
  execution_role_arn       = aws_iam_role.execution[0].arn
  task_role_arn            = aws_iam_role.task[0].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.container.architecture
  }

  # The one place that can be written to. The image declares it, so that it belongs to its user.
  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([local.web])

  # A task that starts before its secret has a value would stop again.
  depends_on = [aws_secretsmanager_secret_version.app_client]
}

resource "aws_ecs_service" "this" {
  count = local.serves

  name                               = local.name
  cluster                            = aws_ecs_cluster.this[0].id
  task_definition                    = aws_ecs_task_definition.this[0].arn
  launch_type                        = "FARGATE"
  desired_count                      = var.scaling.minimum
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 30
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"
  availability_zone_rebalancing      = "ENABLED"
  # The apply ends when the new containers answer, or fails when they do not.
  wait_for_steady_state = true

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = local.task_subnets
    security_groups  = [aws_security_group.containers[0].id]
    assign_public_ip = var.nat_gateways == 0
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this[0].arn
    container_name   = "web"
    container_port   = local.container_tcp
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling's
  }

  depends_on = [
    aws_iam_role_policy.execution,
    aws_iam_role_policy.task,
    aws_lb_listener.https,
    aws_route.internet,
    aws_route.nat,
    aws_vpc_security_group_egress_rule.to_aws,
  ]
}
