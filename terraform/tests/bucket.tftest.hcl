# What is planned for each kind of environment. No credentials, no AWS: terraform test.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "871253127893" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

run "dev" {
  command = plan

  assert {
    condition     = aws_s3_bucket.attachments.bucket == "taskflow-dev-attachments-871253127893"
    error_message = "The name is made of project, environment and account."
  }
  assert {
    condition     = output.dotenv == "USE_S3=true\nAWS_S3_BUCKET=taskflow-dev-attachments-871253127893\nAWS_REGION=us-east-1\n"
    error_message = "dotenv has the three lines that .env needs."
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.attachments.block_public_acls,
      aws_s3_bucket_public_access_block.attachments.block_public_policy,
      aws_s3_bucket_public_access_block.attachments.ignore_public_acls,
      aws_s3_bucket_public_access_block.attachments.restrict_public_buckets,
    ])
    error_message = "Public access is blocked in all four ways."
  }
  assert {
    condition     = aws_s3_bucket_versioning.attachments.versioning_configuration[0].status == "Enabled"
    error_message = "Versions are kept."
  }
  assert {
    condition     = aws_s3_bucket_ownership_controls.attachments.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "ACLs are off."
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.attachments.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "It is encrypted with S3's keys."
  }
  assert {
    condition     = one(aws_s3_bucket_cors_configuration.attachments[0].cors_rule).allowed_origins == toset(["http://localhost:3000", "http://localhost:5173"])
    error_message = "Only the named origins."
  }
  assert {
    condition     = !strcontains(output.bucket_policy_json, "DenyObjectsToOthers") && aws_s3_bucket.attachments.force_destroy
    error_message = "Whoever applies can use dev at once, and destroy it."
  }
}

run "prod" {
  command = plan

  variables {
    environment                 = "prod"
    deny_other_principals       = true
    force_destroy               = false
    allowed_origins             = []
    allowed_role_names          = ["taskflow-prod-ecs-task-role"]
    allowed_role_arns           = ["arn:aws:iam::210987654321:role/ci/release"]
    allowed_sso_permission_sets = []
    admin_principal_arns        = ["arn:aws:iam::871253127893:role/Admin"]
  }

  assert {
    condition     = length(aws_s3_bucket_cors_configuration.attachments) == 0
    error_message = "Without origins no web page is let in."
  }
  assert {
    condition     = !aws_s3_bucket.attachments.force_destroy && length(aws_s3_bucket_logging.attachments) == 0
    error_message = "Nothing is destroyed, and no log is kept that nobody asked for."
  }
}

run "prod_with_roles_as_principals" {
  command = plan

  variables {
    environment                 = "prod"
    deny_other_principals       = true
    force_destroy               = false
    role_principal_mode         = "principal"
    allowed_role_names          = ["taskflow-prod-ecs-task-role"]
    allowed_sso_permission_sets = []
    admin_principal_arns        = ["arn:aws:iam::871253127893:role/Admin"]
  }

  assert {
    condition     = one(output.allowed_role_arns) == "arn:aws:iam::871253127893:role/taskflow-prod-ecs-task-role"
    error_message = "The role is named by its ARN."
  }
}

run "every_option" {
  command = plan

  variables {
    environment                = "staging"
    allowed_role_names         = []
    bucket_name                = "acme-attachments"
    region                     = "eu-central-1"
    sse_algorithm              = "aws:kms"
    kms_key_arn                = "arn:aws:kms:eu-central-1:871253127893:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    archive_current_after_days = 60
    noncurrent_days            = { expire = 400 }
    abort_multipart_days       = 1
    access_log_bucket          = "acme-logs"
    allowed_origins            = ["https://app.example.com", "https://app.example.com:8443", "http://127.0.0.1:5173"]
    tags                       = { Team = "attachments" }
  }

  assert {
    condition     = output.bucket_name == "acme-attachments" && output.bucket_region == "eu-central-1"
    error_message = "A given name and region are taken."
  }
  assert {
    condition = (
      one(aws_s3_bucket_server_side_encryption_configuration.attachments.rule).bucket_key_enabled &&
      strcontains(output.client_policy_json, "kms:GenerateDataKey")
    )
    error_message = "With a key of KMS clients may use it, by a bucket key."
  }
  assert {
    condition     = { for move in aws_s3_bucket_lifecycle_configuration.attachments.rule[0].transition : move.storage_class => move.days } == { STANDARD_IA = 30, GLACIER = 60 }
    error_message = "Live attachments are archived when asked."
  }
  assert {
    condition     = aws_s3_bucket_logging.attachments[0].target_prefix == "s3/acme-attachments/"
    error_message = "Access is logged under the bucket's own prefix."
  }
}

run "prod_refuses_the_values_of_dev" {
  command = plan

  variables {
    environment        = "prod"
    allowed_role_names = ["taskflow-prod-ecs-task-role"]
  }

  expect_failures = [var.force_destroy, var.deny_other_principals, var.admin_principal_arns]
}
