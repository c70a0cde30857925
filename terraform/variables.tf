# What the bucket is called

variable "region" {
  description = "AWS region of the bucket."
  type        = string
  default     = "us-east-1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is the code of a region, not its name: us-east-1 or eu-central-1, for example."
  }
}

variable "project" {
  description = "First part of the bucket's name, and the tag Project."
  type        = string
  default     = "taskflow"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.project))
    error_message = "project has 2 to 30 characters: a-z, 0-9 and -, a letter first and no - last. Try taskflow."
  }
}

variable "environment" {
  description = "dev, staging or prod. prod refuses what could lose attachments or open them to others."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment is dev, staging or prod."
  }
  validation {
    condition     = contains(["default", var.environment], terraform.workspace)
    error_message = "The workspace ${terraform.workspace} is another environment's: give the file of its values, -var-file=${terraform.workspace}.tfvars, or terraform workspace select default."
  }
}

variable "bucket_name" {
  description = "Name of the bucket. null: <project>-<environment>-attachments-<account id>."
  type        = string
  default     = null

  validation {
    condition = var.bucket_name == null ? true : (
      can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name)) &&
      !can(regex("^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$", var.bucket_name))
    )
    error_message = "bucket_name has 3 to 63 characters: a-z, 0-9 and -, a letter or digit at both ends, and no prefix or suffix that AWS keeps for itself. No dots: they break TLS. Leave it null for a name that is free."
  }
}

variable "tags" {
  description = "Tags beside Project, Environment and ManagedBy."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : length(key) <= 128 && !startswith(lower(key), "aws:")])
    error_message = "A tag's key has at most 128 characters and doesn't begin with aws:, which AWS keeps for itself. Rename it."
  }
}

# Who may use it

variable "allowed_role_names" {
  description = "Roles of this account that may use the attachments, by name; the roles may come later."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.allowed_role_names : can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", name))])
    error_message = "allowed_role_names are exact names, without path, ARN or wildcard: taskflow-dev-lambda-role. A role of another account goes into allowed_role_arns."
  }
  validation {
    condition     = var.environment == "dev" || !anytrue([for name in var.allowed_role_names : strcontains(name, "-dev-")])
    error_message = "A role of dev has no place here: terraform.tfvars is read for every environment, so set allowed_role_names, allowed_sso_permission_sets and allowed_origins anew."
  }
}

variable "allowed_role_arns" {
  description = "Roles that may use the attachments, by ARN; of other accounts too."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.allowed_role_arns : can(regex("^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}$", arn))])
    error_message = "allowed_role_arns are exact ARNs of roles, without wildcard: arn:aws:iam::123456789012:role/NAME. An assumed-role ARN names a session: name its role."
  }
}

variable "allowed_sso_permission_sets" {
  description = "Permission sets of IAM Identity Center whose roles in this account may use the attachments."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.allowed_sso_permission_sets : can(regex("^[A-Za-z0-9_+=,.@-]{1,32}$", name))])
    error_message = "allowed_sso_permission_sets are names of permission sets, without wildcard: Developer, not AWSReservedSSO_Developer_*."
  }
}

variable "role_principal_mode" {
  description = "condition: the account is the principal and a condition names the roles, which may come later; each also needs client_policy_json. principal: the roles themselves, which must exist."
  type        = string
  default     = "condition"
  nullable    = false

  validation {
    condition     = contains(["condition", "principal"], var.role_principal_mode)
    error_message = "role_principal_mode is condition, or principal once all the roles exist."
  }
}

variable "deny_other_principals" {
  description = "Deny the objects to everybody else in the account, whatever their own policies allow."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.deny_other_principals || var.environment != "prod"
    error_message = "prod denies everybody else: set deny_other_principals = true (terraform.tfvars has the values of dev)."
  }
  validation {
    condition     = !var.deny_other_principals || length(concat(var.allowed_role_names, var.allowed_role_arns, var.allowed_sso_permission_sets)) > 0
    error_message = "Nobody could use the attachments: name who may in allowed_role_names, allowed_role_arns or allowed_sso_permission_sets, or set deny_other_principals = false."
  }
}

variable "admin_principal_arns" {
  description = "Roles and users that deny_other_principals leaves alone: what they may do, their own policies say."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.admin_principal_arns : can(regex("^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:(role|user)/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}$", arn))])
    error_message = "admin_principal_arns are exact ARNs of roles or users, without wildcard: arn:aws:iam::123456789012:role/Admin. The account's root is never denied and need not be named."
  }
  validation {
    condition     = var.environment != "prod" || length(var.admin_principal_arns) > 0
    error_message = "prod needs admin_principal_arns: without one, only the account's root could rescue an attachment. Name at least one role."
  }
}

variable "allowed_origins" {
  description = "Origins of web pages that may use signed links from a script. Empty: none."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.allowed_origins : can(regex("^(https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?|http://(localhost|127\\.0\\.0\\.1))(:[1-9][0-9]{0,4})?$", origin))])
    error_message = "allowed_origins are exact origins as a browser sends them: https://app.example.com. No *, path, slash at the end or capital; http only for localhost and 127.0.0.1."
  }
}

# How it keeps them

variable "force_destroy" {
  description = "terraform destroy also destroys all attachments and their versions."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.force_destroy || var.environment != "prod"
    error_message = "prod never destroys its attachments: set force_destroy = false (terraform.tfvars has the values of dev)."
  }
}

variable "sse_algorithm" {
  description = "Encryption at rest: AES256, with S3's keys, or aws:kms, with kms_key_arn."
  type        = string
  default     = "AES256"
  nullable    = false

  validation {
    condition     = contains(["AES256", "aws:kms"], var.sse_algorithm)
    error_message = "sse_algorithm is AES256 or aws:kms."
  }
}

variable "kms_key_arn" {
  description = "The key of aws:kms. Its own policy must let the roles use it."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a key, not of an alias: arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab."
  }
  validation {
    condition     = (var.kms_key_arn != null) == (var.sse_algorithm == "aws:kms")
    error_message = "kms_key_arn and sse_algorithm = \"aws:kms\" go together: set both, or neither."
  }
}

variable "current_standard_ia_after_days" {
  description = "Days until a live attachment moves to STANDARD_IA, where it can be read at once."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.current_standard_ia_after_days >= 30 && floor(var.current_standard_ia_after_days) == var.current_standard_ia_after_days
    error_message = "current_standard_ia_after_days is a whole number from 30: S3 refuses STANDARD_IA earlier."
  }
}

variable "archive_current_after_days" {
  description = "Days until a live attachment moves on to GLACIER, where a link to it fails until it is thawed. null: never."
  type        = number
  default     = null

  validation {
    condition = var.archive_current_after_days == null ? true : (
      var.archive_current_after_days >= var.current_standard_ia_after_days + 30 && floor(var.archive_current_after_days) == var.archive_current_after_days
    )
    error_message = "archive_current_after_days is a whole number, at least 30 above current_standard_ia_after_days: S3 wants 30 days in STANDARD_IA. null never archives live attachments."
  }
}

variable "noncurrent_days" {
  description = "Days after an attachment was deleted until it moves to each class, and until it is gone for good."
  type = object({
    standard_ia  = optional(number, 30)
    glacier      = optional(number, 90)
    deep_archive = optional(number, 180)
    expire       = optional(number, 365)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for days in values(var.noncurrent_days) : floor(days) == days]) && var.noncurrent_days.standard_ia >= 30
    error_message = "noncurrent_days are whole numbers, standard_ia from 30: S3 refuses STANDARD_IA earlier."
  }
  validation {
    condition = (
      var.noncurrent_days.glacier >= var.noncurrent_days.standard_ia + 30 &&
      var.noncurrent_days.deep_archive > var.noncurrent_days.glacier &&
      var.noncurrent_days.expire > var.noncurrent_days.deep_archive
    )
    error_message = "noncurrent_days must rise: standard_ia, at least 30 more for glacier, then deep_archive, then expire. The default is 30, 90, 180, 365."
  }
}

variable "abort_multipart_days" {
  description = "Days until what an interrupted upload has left is removed; it can be resumed until then."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.abort_multipart_days >= 1 && var.abort_multipart_days <= 90 && floor(var.abort_multipart_days) == var.abort_multipart_days
    error_message = "abort_multipart_days is a whole number from 1 to 90: parts that are left cost as much as attachments."
  }
}

variable "access_log_bucket" {
  description = "Another bucket, of the same region and account, whose policy lets logging.s3.amazonaws.com write access logs. null: none are kept."
  type        = string
  default     = null

  validation {
    condition     = var.access_log_bucket == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_log_bucket)) && var.access_log_bucket != var.bucket_name
    error_message = "access_log_bucket is the name of another bucket than the attachments': logs in the same one would log themselves."
  }
}
