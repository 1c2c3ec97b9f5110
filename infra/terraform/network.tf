# A network of its own for the container home: public subnets for the load balancer, private ones
# for the containers unless nat_gateways is 0. DynamoDB and S3 (image layers) are reached from within.

locals {
  zones         = local.home == 1 ? slice(data.aws_availability_zones.available[0].names, 0, var.availability_zones) : []
  zone_keys     = toset([for index, _ in local.zones : tostring(index)])
  private_keys  = var.nat_gateways > 0 ? local.zone_keys : toset([])
  nat_keys      = toset([for index in range(local.home == 1 ? var.nat_gateways : 0) : tostring(index)])
  nat_of_zone   = { for key in local.private_keys : key => var.nat_gateways == 1 ? "0" : key }
  task_subnets  = var.nat_gateways > 0 ? [for subnet in aws_subnet.private : subnet.id] : [for subnet in aws_subnet.public : subnet.id]
  route_tables  = concat([for table in aws_route_table.public : table.id], [for table in aws_route_table.private : table.id])
  container_tcp = 8000
}

data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:only the first two or three names are used; the letter of a new zone comes last
  count = local.home

  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:flow logs cost by the gigabyte; security groups let one port in
  count = local.home

  cidr_block           = var.vpc_cidr
  enable_dns_hostnames = true
  tags                 = { Name = local.name }
}

# The group that a resource without one would get: it lets nothing in or out.
resource "aws_default_security_group" "closed" {
  count = local.home

  vpc_id = aws_vpc.this[0].id
}

resource "aws_internet_gateway" "this" {
  count = local.home

  vpc_id = aws_vpc.this[0].id
  tags   = { Name = local.name }
}

resource "aws_subnet" "public" {
  for_each = local.zone_keys

  vpc_id            = aws_vpc.this[0].id
  availability_zone = local.zones[tonumber(each.key)]
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, tonumber(each.key))
  tags              = { Name = "${local.name}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.private_keys

  vpc_id            = aws_vpc.this[0].id
  availability_zone = local.zones[tonumber(each.key)]
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, 8 + tonumber(each.key))
  tags              = { Name = "${local.name}-private-${each.key}" }
}

resource "aws_route_table" "public" {
  count = local.home

  vpc_id = aws_vpc.this[0].id
  tags   = { Name = "${local.name}-public" }
}

resource "aws_route" "internet" {
  count = local.home

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_eip" "nat" {
  for_each = local.nat_keys

  domain = "vpc"
  tags   = { Name = "${local.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = local.nat_keys

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id
  tags          = { Name = "${local.name}-${each.key}" }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "private" {
  for_each = local.private_keys

  vpc_id = aws_vpc.this[0].id
  tags   = { Name = "${local.name}-private-${each.key}" }
}

resource "aws_route" "nat" {
  for_each = local.private_keys

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[local.nat_of_zone[each.key]].id
}

resource "aws_route_table_association" "private" {
  for_each = local.private_keys

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = local.home == 1 ? toset(["dynamodb", "s3"]) : toset([])

  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = local.route_tables
  tags              = { Name = "${local.name}-${each.key}" }
}

# --- Who may speak to whom ----------------------------------------------------------------------

resource "aws_security_group" "load_balancer" {
  count = local.home

  name        = "${local.name}-load-balancer"
  description = "Browsers to the load balancer, the load balancer to the containers"
  vpc_id      = aws_vpc.this[0].id
  tags        = { Name = "${local.name}-load-balancer" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "containers" {
  count = local.home

  name        = "${local.name}-containers"
  description = "The load balancer to the containers, the containers to AWS"
  vpc_id      = aws_vpc.this[0].id
  tags        = { Name = "${local.name}-containers" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "browsers" {
  for_each = local.home == 1 ? { for pair in setproduct(var.ingress_cidrs, [80, 443]) : "${pair[0]} ${pair[1]}" => { cidr = pair[0], port = pair[1] } } : {}

  security_group_id = aws_security_group.load_balancer[0].id
  description       = each.value.port == 80 ? "Redirected to HTTPS" : "HTTPS"
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "to_containers" {
  count = local.home

  security_group_id            = aws_security_group.load_balancer[0].id
  description                  = "The application"
  referenced_security_group_id = aws_security_group.containers[0].id
  ip_protocol                  = "tcp"
  from_port                    = local.container_tcp
  to_port                      = local.container_tcp
}

resource "aws_vpc_security_group_ingress_rule" "from_load_balancer" {
  count = local.home

  security_group_id            = aws_security_group.containers[0].id
  description                  = "The load balancer, and nobody else"
  referenced_security_group_id = aws_security_group.load_balancer[0].id
  ip_protocol                  = "tcp"
  from_port                    = local.container_tcp
  to_port                      = local.container_tcp
}

# Cognito, the API and the image registry have no addresses that could be listed.
resource "aws_vpc_security_group_egress_rule" "to_aws" {
  count = local.home

  security_group_id = aws_security_group.containers[0].id
  description       = "HTTPS to AWS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
