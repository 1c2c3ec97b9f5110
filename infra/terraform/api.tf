locals {
  # Offline the stage is left out: the emulator serves $default at the API's root.
  api_endpoint = local.offline ? "${var.offline_endpoint}/_aws/execute-api/${aws_apigatewayv2_api.this.id}" : aws_apigatewayv2_api.this.api_endpoint

  routes = { for route in local.stack.http_api.routes : route.name => route }
}

resource "aws_apigatewayv2_api" "this" {
  name          = local.name
  protocol_type = "HTTP"
  description   = "${local.name}: the backend that its people call with signed requests"
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = local.stack.http_api.stage
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = local.stack.http_api.throttle.rate_per_second
    throttling_burst_limit = local.stack.http_api.throttle.burst
  }

  # No headers and no query: the ID token travels in a header.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api_access.arn
    format = jsonencode({
      time        = "$context.requestTimeEpoch"
      request_id  = "$context.requestId"
      route       = "$context.routeKey"
      status      = "$context.status"
      latency_ms  = "$context.responseLatency"
      source_ip   = "$context.identity.sourceIp"
      caller      = "$context.identity.userArn"
      error       = "$context.error.message"
      integration = "$context.integrationErrorMessage"
    })
  }
}

resource "aws_apigatewayv2_authorizer" "user_pool" {
  api_id           = aws_apigatewayv2_api.this.id
  name             = local.stack.http_api.jwt_authorizer.name
  authorizer_type  = "JWT"
  identity_sources = [local.stack.http_api.jwt_authorizer.identity_source]

  jwt_configuration {
    issuer   = local.issuer
    audience = [aws_cognito_user_pool_client.web.id]
  }

  lifecycle {
    # Has no meaning for JWT; the offline AWS reads it back all the same.
    ignore_changes = [authorizer_payload_format_version]
  }
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = toset([for route in local.stack.http_api.routes : route.function])

  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.api[each.key].arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:each route of stack.yaml names its authorization; NONE is meant where it stands
  for_each = local.routes

  api_id               = aws_apigatewayv2_api.this.id
  route_key            = each.value.route
  authorization_type   = each.value.authorization
  authorizer_id        = each.value.authorization == "JWT" ? aws_apigatewayv2_authorizer.user_pool.id : null
  authorization_scopes = each.value.authorization == "JWT" ? each.value.scopes : null
  target               = "integrations/${aws_apigatewayv2_integration.this[each.value.function].id}"
}

# This API, and no other, may invoke the function.
resource "aws_lambda_permission" "http_api" {
  for_each = aws_apigatewayv2_integration.this

  statement_id  = "http-api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.api[each.key].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}
