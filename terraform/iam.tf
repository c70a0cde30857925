# Who may do what. The policies are plain values, known at plan, so that a test can read them.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account_id  = data.aws_caller_identity.current.account_id
  iam         = "arn:${data.aws_partition.current.partition}:iam"
  bucket_name = coalesce(var.bucket_name, "${var.project}-${var.environment}-attachments-${local.account_id}")
  bucket_arn  = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket_name}"

  # What taskflow's commands ask for and no more. The README has them by command, and a test holds it to that.
  scopes = [
    {
      sid      = "Bucket"
      resource = local.bucket_arn
      actions = [
        "s3:GetBucketCORS",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketPolicyStatus",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketVersioning",
        "s3:GetEncryptionConfiguration",
        "s3:GetLifecycleConfiguration",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:ListBucketVersions",
      ]
    },
    {
      sid      = "Attachments"
      resource = "${local.bucket_arn}/tasks/*"
      actions = [
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionTagging",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
        "s3:PutObjectTagging",
        "s3:RestoreObject",
      ]
    },
  ]

  role_arns = distinct(concat(
    [for name in var.allowed_role_names : "${local.iam}::${local.account_id}:role/${name}"],
    var.allowed_role_arns,
  ))

  # As conditions match them: a role's name may stand behind a path, which ends with a slash.
  role_patterns = distinct(concat(
    local.role_arns,
    [for name in var.allowed_role_names : "${local.iam}::${local.account_id}:role/*/${name}"],
  ))

  # Identity Center puts its region before the name, but for us-east-1, and 16 characters behind it.
  sso_patterns = flatten([for name in var.allowed_sso_permission_sets : [
    for path in ["", "*/"] :
    "${local.iam}::${local.account_id}:role/aws-reserved/sso.amazonaws.com/${path}AWSReservedSSO_${name}_????????????????"
  ]])

  never_denied = distinct(concat(
    ["${local.iam}::${local.account_id}:root"], local.role_patterns, local.sso_patterns, var.admin_principal_arns,
  ))

  by_principal = var.role_principal_mode == "principal" ? local.role_arns : []
  by_condition = concat(var.role_principal_mode == "condition" ? local.role_patterns : [], local.sso_patterns)

  # Accounts, not "*": S3 would take that for public, whatever the condition says.
  accounts = distinct([for arn in local.by_condition : "${local.iam}::${split(":", arn)[4]}:root"])

  grants = concat(
    [for arns in [local.by_principal] : { sid = "Roles", principals = arns, condition = {} } if length(arns) > 0],
    [for arns in [local.by_condition] : {
      sid        = "Matching"
      principals = local.accounts
      condition  = { Condition = { ArnLike = { "aws:PrincipalArn" = arns } } }
    } if length(arns) > 0],
  )

  bucket_policy_json = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "DenyPlainHttp"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
        {
          Sid       = "DenyOldTls"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
          Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
        },
      ],
      # Objects only: who can't read the bucket's own settings can't repair them, and a plan would take the bucket for
      # gone. The caller's ARN has no place here: it would differ from one operator to the next.
      [for exempt in [local.never_denied] : {
        Sid       = "DenyObjectsToOthers"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = ["${local.bucket_arn}/*"]
        Condition = {
          ArnNotLike   = { "aws:PrincipalArn" = exempt }
          BoolIfExists = { "aws:PrincipalIsAWSService" = "false" }
        }
      } if var.deny_other_principals],
      flatten([for grant in local.grants : [for scope in local.scopes : merge({
        Sid       = "Allow${grant.sid}On${scope.sid}"
        Effect    = "Allow"
        Principal = { AWS = grant.principals }
        Action    = scope.actions
        Resource  = [scope.resource]
      }, grant.condition)]]),
    )
  })

  client_policy_json = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [for scope in local.scopes : {
        Sid = scope.sid, Effect = "Allow", Action = scope.actions, Resource = [scope.resource]
      }],
      [for key in var.kms_key_arn[*] : {
        Sid = "Key", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [key]
      }],
    )
  })
}
