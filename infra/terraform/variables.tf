# --- Where --------------------------------------------------------------------------------------

variable "target" {
  description = "aws for an AWS account, local for the offline AWS of this project. What the offline AWS cannot run (the container home, branding, alarms) is left out there."
  type        = string
  default     = "aws"
  validation {
    condition     = contains(["aws", "local"], var.target)
    error_message = "target is aws or local."
  }
}

variable "offline_endpoint" {
  description = "Address of the offline AWS, such as http://127.0.0.1:4566. Only for target = local, and needed there."
  type        = string
  default     = null
  validation {
    condition     = (var.offline_endpoint != null) == (var.target == "local")
    error_message = "offline_endpoint belongs to target = \"local\": set both or neither."
  }
  validation {
    condition     = var.offline_endpoint == null || can(regex("^http://(127\\.0\\.0\\.1|localhost):[0-9]+$", var.offline_endpoint))
    error_message = "offline_endpoint is an address of this machine without a path, such as http://127.0.0.1:4566."
  }
}

variable "region" {
  description = "AWS region; null takes the one of stack.yaml."
  type        = string
  default     = null
}

variable "aws_account_id" {
  description = "The twelve digits of the only account that this may change; null lets any account (but never the offline one) through."
  type        = string
  default     = null
  validation {
    condition     = var.aws_account_id == null || can(regex("^[0-9]{12}$", var.aws_account_id))
    error_message = "aws_account_id has twelve digits."
  }
}

variable "stack_file" {
  description = "The facts shared with the offline provisioner, relative to this folder."
  type        = string
  default     = "../stack.yaml"
}

variable "archives" {
  description = "Folder with the functions' archives, relative to this folder; `python3 -m infra.bundle` writes them."
  type        = string
  default     = "../functions/build"
}

variable "tags" {
  description = "Tags for everything that can carry them, beside Project and ManagedBy."
  type        = map(string)
  default     = {}
}

variable "kms_key_arn" {
  description = "A KMS key of yours for tables, secrets, logs, images and the alarm topic; its policy must let those services use it. Null takes the keys that AWS owns, at no cost."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether user pool, tables and load balancer refuse to be deleted. Set it to false and apply before a teardown."
  type        = bool
  default     = true
}

# --- The application's address ------------------------------------------------------------------

variable "app_base_url" {
  description = "Origin under which browsers reach the application; null takes https://app_domain_name, or http://localhost:8000 without one."
  type        = string
  default     = null
  validation {
    condition     = var.app_base_url == null || can(regex("^(https://[^/?#]+|http://(localhost|127\\.0\\.0\\.1)(:[0-9]+)?)/?$", var.app_base_url))
    error_message = "app_base_url is an origin without a path: https://..., or http:// for localhost and 127.0.0.1 only."
  }
}

variable "app_domain_name" {
  description = "Host name of the application, such as portal.example.com. With it the container home is made (load balancer, service, network); null leaves it out and the application runs wherever you start it."
  type        = string
  default     = null
}

variable "route53_zone_id" {
  description = "Hosted zone of app_domain_name, for the certificate's proof and the address record. Null: you set both, and name certificate_arn."
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "ACM certificate for app_domain_name, in this region. Null makes one, which needs route53_zone_id."
  type        = string
  default     = null
  validation {
    condition     = var.app_domain_name == null || var.certificate_arn != null || var.route53_zone_id != null
    error_message = "app_domain_name needs certificate_arn, or route53_zone_id so that a certificate can be made."
  }
}

# --- User pool ----------------------------------------------------------------------------------

variable "cognito_domain_prefix" {
  description = "Prefix of the Managed Login address, unique in the region; null takes the stack's name and the account."
  type        = string
  default     = null
  validation {
    condition     = var.cognito_domain_prefix == null || can(regex("^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", var.cognito_domain_prefix)) && !can(regex("aws|amazon|cognito", var.cognito_domain_prefix))
    error_message = "cognito_domain_prefix has lower case letters, digits and hyphens, and none of the words aws, amazon, cognito."
  }
}

variable "cognito_custom_domain" {
  description = "Host name for Managed Login instead of the prefix, such as auth.example.com; its parent needs an address record. Needs cognito_custom_domain_certificate_arn."
  type        = string
  default     = null
}

variable "cognito_custom_domain_certificate_arn" {
  description = "ACM certificate for cognito_custom_domain. It has to be in us-east-1, whatever the region."
  type        = string
  default     = null
  validation {
    condition     = (var.cognito_custom_domain_certificate_arn != null) == (var.cognito_custom_domain != null)
    error_message = "cognito_custom_domain and cognito_custom_domain_certificate_arn come together."
  }
  validation {
    condition     = var.cognito_custom_domain_certificate_arn == null || can(regex(":acm:us-east-1:", var.cognito_custom_domain_certificate_arn))
    error_message = "The certificate of a custom domain has to be in us-east-1."
  }
}

variable "user_pool_tier" {
  description = "LITE, ESSENTIALS or PLUS; null takes the one of stack.yaml."
  type        = string
  default     = null
  validation {
    condition     = var.user_pool_tier == null || contains(["LITE", "ESSENTIALS", "PLUS"], coalesce(var.user_pool_tier, "LITE"))
    error_message = "user_pool_tier is LITE, ESSENTIALS or PLUS."
  }
}

variable "threat_protection" {
  description = "Advanced security: OFF, AUDIT (only records the risk) or ENFORCED (asks for a second factor or blocks). Needs user_pool_tier = PLUS."
  type        = string
  default     = "OFF"
  validation {
    condition     = contains(["OFF", "AUDIT", "ENFORCED"], var.threat_protection)
    error_message = "threat_protection is OFF, AUDIT or ENFORCED."
  }
  validation {
    condition     = var.threat_protection == "OFF" || var.user_pool_tier == "PLUS"
    error_message = "threat_protection needs user_pool_tier = \"PLUS\"."
  }
}

variable "identity_providers" {
  description = "SAML and OIDC providers by the name on their button. `details` are Cognito's own (MetadataURL or MetadataFile; client_id, oidc_issuer, authorize_scopes, attributes_request_method), `attributes` maps the pool's attributes to the provider's, `identifiers` may hold mail domains. A client_secret goes into identity_provider_secrets."
  type = map(object({
    type        = string
    details     = map(string)
    attributes  = optional(map(string), { email = "email" })
    identifiers = optional(list(string), [])
  }))
  default = {}
  validation {
    condition     = alltrue([for provider in var.identity_providers : contains(["SAML", "OIDC"], provider.type)])
    error_message = "The type of an identity provider is SAML or OIDC."
  }
  validation {
    condition     = alltrue([for name, _ in var.identity_providers : can(regex("^[\\w .+-]{3,32}$", name))])
    error_message = "The name of an identity provider has 3 to 32 letters, digits, blanks and . + - _"
  }
  validation {
    condition     = alltrue([for provider in var.identity_providers : !contains(keys(provider.details), "client_secret")])
    error_message = "Put client_secret into identity_provider_secrets, which is not shown in plans."
  }
}

variable "identity_provider_secrets" {
  description = "Client secrets of OIDC providers, by the provider's name."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "ses_source_arn" {
  description = "A verified SES identity that sends the pool's mail; null sends through Cognito's own address, at most 50 a day."
  type        = string
  default     = null
}

# --- Container home -----------------------------------------------------------------------------

variable "image_digest" {
  description = "Digest (sha256:...) of the image in the ECR repository. Null makes everything but the running service, so that there is a repository to push to."
  type        = string
  default     = null
  validation {
    condition     = var.image_digest == null || can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    error_message = "image_digest is sha256: and 64 hexadecimal digits. A tag can be moved, a digest cannot."
  }
}

variable "vpc_cidr" {
  description = "Address range of the VPC; a /16 to /20."
  type        = string
  default     = "10.20.0.0/16"
  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 4, 0)) && tonumber(split("/", var.vpc_cidr)[1]) <= 20
    error_message = "vpc_cidr is a range such as 10.20.0.0/16, not smaller than a /20."
  }
}

variable "availability_zones" {
  description = "How many zones the load balancer and the service are in."
  type        = number
  default     = 2
  validation {
    condition     = var.availability_zones >= 2 && var.availability_zones <= 3
    error_message = "A load balancer needs two zones; this plan has room for three."
  }
}

variable "nat_gateways" {
  description = "0: containers get public addresses, closed to all but the load balancer (cheapest). 1: private containers, one way out. More: one for each zone, which survives the loss of a zone."
  type        = number
  default     = 1
  validation {
    condition     = contains([0, 1, var.availability_zones], var.nat_gateways)
    error_message = "nat_gateways is 0, 1 or the number of availability_zones."
  }
}

variable "container" {
  description = "Size of one container: cpu units (1024 is one core), memory in MiB, ARM64 or X86_64 (what the image was built for), gunicorn workers."
  type = object({
    cpu          = optional(number, 512)
    memory       = optional(number, 1024)
    architecture = optional(string, "ARM64")
    workers      = optional(number, 2)
  })
  default = {}
  validation {
    condition     = contains(["ARM64", "X86_64"], var.container.architecture)
    error_message = "container.architecture is ARM64 or X86_64."
  }
}

variable "scaling" {
  description = "How many containers there are at least and at most, and the average CPU load in percent at which another one starts."
  type = object({
    minimum     = optional(number, 2)
    maximum     = optional(number, 6)
    cpu_percent = optional(number, 60)
  })
  default = {}
  validation {
    condition     = var.scaling.minimum >= 1 && var.scaling.maximum >= var.scaling.minimum
    error_message = "scaling.minimum is at least 1 and not above scaling.maximum."
  }
}

variable "ingress_cidrs" {
  description = "Who may reach the load balancer."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "app_settings" {
  description = "Further settings of the application by their names (docs/reference/settings.md), such as LOG_LEVEL; no secrets."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name, _ in var.app_settings : !contains(["SECRET_KEY", "SECRET_KEY_FALLBACKS", "COGNITO_CLIENT_SECRET"], name)])
    error_message = "Secrets are in Secrets Manager, not in app_settings, where everybody who may see the task could read them."
  }
}

variable "web_acl" {
  description = "A web ACL in front of the load balancer: requests of one address in five minutes, at most, for the sign-in paths and in all."
  type = object({
    enabled       = optional(bool, false)
    sign_in_limit = optional(number, 100)
    limit         = optional(number, 2000)
  })
  default = {}
  validation {
    condition     = var.web_acl.sign_in_limit >= 10 && var.web_acl.limit >= var.web_acl.sign_in_limit
    error_message = "WAF takes limits of 10 or more, and web_acl.limit is not below web_acl.sign_in_limit."
  }
}

# --- Watching it --------------------------------------------------------------------------------

variable "log_retention_days" {
  description = "How long logs are kept; a number that CloudWatch knows."
  type        = number
  default     = 30
}

variable "alarm_email" {
  description = "Who is told when an alarm goes off; the address has to confirm once. Null: alarms are shown in the console only."
  type        = string
  default     = null
}

variable "load_balancer_log_bucket" {
  description = "An S3 bucket, ready for them, that takes the load balancer's access logs. Their lines hold whole addresses, authorization codes included. Null: none."
  type        = string
  default     = null
}

# --- Pipeline -----------------------------------------------------------------------------------

variable "github_repository" {
  description = "owner/name of the repository whose workflows may deploy; null makes no role for it."
  type        = string
  default     = null
  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.github_repository))
    error_message = "github_repository is owner/name, without wildcards."
  }
}

variable "github_branch" {
  description = "The one branch of that repository that may deploy."
  type        = string
  default     = "main"
  validation {
    condition     = can(regex("^[A-Za-z0-9_./-]+$", var.github_branch))
    error_message = "github_branch is one branch, without wildcards."
  }
}

variable "github_environment" {
  description = "The environment of that repository whose jobs may deploy as well: GitHub names it instead of the branch. Limit it to the branch, and to people who approve, in the repository's settings. Null: none."
  type        = string
  default     = "production"
  validation {
    condition     = var.github_environment == null || can(regex("^[A-Za-z0-9_.-]+$", var.github_environment))
    error_message = "github_environment is one environment, without wildcards."
  }
}

variable "github_oidc_provider_arn" {
  description = "The account's provider for token.actions.githubusercontent.com, where there is one already (an account has room for one). Null makes it."
  type        = string
  default     = null
}

variable "state_bucket" {
  description = "Name of the S3 bucket with the Terraform state, for the pipeline's role. Null: the pipeline only pushes images."
  type        = string
  default     = null
}
