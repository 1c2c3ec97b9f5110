resource "aws_cloudwatch_log_group" "function" {
  for_each = local.stack.functions

  name              = "/aws/lambda/${local.name}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_log_group" "api_access" {
  name              = "/aws/apigateway/${local.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_log_group" "application" {
  count = local.home

  name              = "/ecs/${local.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# --- Alarms -------------------------------------------------------------------------------------

resource "aws_sns_topic" "alarms" {
  count = local.on_aws ? 1 : 0

  name              = "${local.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "alarms" {
  count = local.on_aws && var.alarm_email != null ? 1 : 0

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

locals {
  # Five minutes each; "for" is how many of them in a row. A metric without data is no alarm.
  backend_alarms = merge(
    {
      api-errors = {
        says       = "The API answers 5xx"
        namespace  = "AWS/ApiGateway", metric = "5xx", statistic = "Sum", above = 5, for = 1
        dimensions = { ApiId = aws_apigatewayv2_api.this.id }
      }
      sessions-throttled = {
        says       = "DynamoDB turns the application's requests for sessions away"
        namespace  = "AWS/DynamoDB", metric = "ThrottledRequests", statistic = "Sum", above = 0, for = 2
        dimensions = { TableName = aws_dynamodb_table.sessions.name }
      }
    },
    { for key, function in local.stack.functions : "function-${key}-errors" => {
      says       = "The function ${key} ends with errors"
      namespace  = "AWS/Lambda", metric = "Errors", statistic = "Sum", above = 2, for = 1
      dimensions = { FunctionName = "${local.name}-${key}" }
    } },
  )
  service_alarms = local.serves == 0 ? {} : {
    application-errors = {
      says       = "The application answers 5xx"
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum", above = 10, for = 1
      dimensions = { LoadBalancer = aws_lb.this[0].arn_suffix, TargetGroup = aws_lb_target_group.this[0].arn_suffix }
    }
    no-answer = {
      says       = "The load balancer finds nobody to answer"
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum", above = 5, for = 1
      dimensions = { LoadBalancer = aws_lb.this[0].arn_suffix }
    }
    unhealthy-containers = {
      says       = "Containers fail their health check"
      namespace  = "AWS/ApplicationELB", metric = "UnHealthyHostCount", statistic = "Maximum", above = 0, for = 2
      dimensions = { LoadBalancer = aws_lb.this[0].arn_suffix, TargetGroup = aws_lb_target_group.this[0].arn_suffix }
    }
    slow = {
      says       = "One answer in a hundred takes longer than five seconds"
      namespace  = "AWS/ApplicationELB", metric = "TargetResponseTime", statistic = "p99", above = 5, for = 3
      dimensions = { LoadBalancer = aws_lb.this[0].arn_suffix, TargetGroup = aws_lb_target_group.this[0].arn_suffix }
    }
    memory = {
      says       = "Containers use more than 85 percent of their memory"
      namespace  = "AWS/ECS", metric = "MemoryUtilization", statistic = "Average", above = 85, for = 3
      dimensions = { ClusterName = aws_ecs_cluster.this[0].name, ServiceName = aws_ecs_service.this[0].name }
    }
    busy = {
      says       = "As many containers as allowed, and still busy"
      namespace  = "AWS/ECS", metric = "CPUUtilization", statistic = "Average", above = 85, for = 3
      dimensions = { ClusterName = aws_ecs_cluster.this[0].name, ServiceName = aws_ecs_service.this[0].name }
    }
  }
  alarms = local.on_aws ? merge(local.backend_alarms, local.service_alarms) : {}
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  period              = 300
  evaluation_periods  = each.value.for
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms[0].arn]
  ok_actions          = [aws_sns_topic.alarms[0].arn]
}
