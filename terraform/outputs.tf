output "bucket_name" {
  description = "Exact name of the bucket."
  value       = aws_s3_bucket.attachments.bucket
}

output "bucket_arn" {
  description = "ARN of the bucket."
  value       = local.bucket_arn
}

output "bucket_region" {
  description = "Region of the bucket."
  value       = var.region
}

output "bucket_regional_domain_name" {
  description = "Where links to attachments lead."
  value       = aws_s3_bucket.attachments.bucket_regional_domain_name
}

output "allowed_role_arns" {
  description = "Roles that may use the attachments."
  value       = local.role_arns
}

output "lifecycle_days" {
  description = "Days until attachments move, deleted ones are gone, and unfinished uploads are removed."
  value = {
    current         = { standard_ia = var.current_standard_ia_after_days, glacier = var.archive_current_after_days }
    noncurrent      = var.noncurrent_days
    abort_multipart = var.abort_multipart_days
  }
}

output "bucket_policy_json" {
  description = "The bucket's policy."
  value       = local.bucket_policy_json
}

output "client_policy_json" {
  description = "What a role needs for taskflow's commands and no more; attach it to the roles of CI and of the application."
  value       = local.client_policy_json
}

output "dotenv" {
  description = "Lines for .env: terraform output -raw dotenv"
  value       = <<-EOT
    USE_S3=true
    AWS_S3_BUCKET=${aws_s3_bucket.attachments.bucket}
    AWS_REGION=${var.region}
  EOT
}
