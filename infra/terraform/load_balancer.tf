locals {
  makes_certificate = local.home == 1 && var.certificate_arn == null ? 1 : 0
  certificate_arn   = local.makes_certificate == 1 ? aws_acm_certificate_validation.this[0].certificate_arn : var.certificate_arn

  # Seconds, in line with infra/container/gunicorn.conf.py: the balancer closes an idle connection
  # before gunicorn does (keepalive, 75), and waits for a leaving container as long as gunicorn
  # lets its slowest request run (graceful_timeout, 28).
  idle_timeout         = 60
  deregistration_delay = 30
  stop_timeout         = 35
}

resource "aws_acm_certificate" "this" {
  count = local.makes_certificate

  domain_name       = var.app_domain_name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "certificate" {
  count = local.makes_certificate

  zone_id         = var.route53_zone_id
  name            = one(aws_acm_certificate.this[0].domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.this[0].domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.this[0].domain_validation_options).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count = local.makes_certificate

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [aws_route53_record.certificate[0].fqdn]
}

resource "aws_route53_record" "application" {
  count = local.home == 1 && var.route53_zone_id != null ? 1 : 0

  zone_id = var.route53_zone_id
  name    = var.app_domain_name
  type    = "A"

  alias {
    name                   = aws_lb.this[0].dns_name
    zone_id                = aws_lb.this[0].zone_id
    evaluate_target_health = false
  }
}

resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_76:the web ACL, where wanted, has that rule group; checkov does not see the count
  count = local.home

  name               = local.name
  load_balancer_type = "application"
  internal           = false
  security_groups    = [aws_security_group.load_balancer[0].id]
  subnets            = [for subnet in aws_subnet.public : subnet.id]

  idle_timeout               = local.idle_timeout
  enable_deletion_protection = var.deletion_protection
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "strictest"
  # One hop that can be trusted: TRUSTED_PROXY_HOPS is 1.
  xff_header_processing_mode = "append"

  dynamic "access_logs" {
    for_each = var.load_balancer_log_bucket == null ? [] : [var.load_balancer_log_bucket]
    content {
      bucket  = access_logs.value
      prefix  = local.name
      enabled = true
    }
  }
}

resource "aws_lb_target_group" "this" {
  count = local.home

  name_prefix          = "web-"
  port                 = local.container_tcp
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = aws_vpc.this[0].id
  deregistration_delay = local.deregistration_delay

  # /healthz asks nobody else. /readyz would have every container replaced when Cognito is away.
  health_check {
    path                = "/healthz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "https" {
  count = local.home

  load_balancer_arn = aws_lb.this[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[0].arn
  }
}

resource "aws_lb_listener" "http" {
  count = local.home

  load_balancer_arn = aws_lb.this[0].arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
