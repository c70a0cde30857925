resource "aws_s3_bucket" "attachments" {
  bucket        = local.bucket_name
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_public_access_block" "attachments" {
  bucket = aws_s3_bucket.attachments.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "attachments" {
  bucket = aws_s3_bucket.attachments.id

  rule {
    object_ownership = "BucketOwnerEnforced" # no ACLs
  }
}

resource "aws_s3_bucket_versioning" "attachments" {
  bucket = aws_s3_bucket.attachments.id

  versioning_configuration {
    status = "Enabled" # undelete needs it
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "attachments" {
  bucket = aws_s3_bucket.attachments.id

  rule {
    bucket_key_enabled = var.sse_algorithm == "aws:kms" # a request to KMS now and then, not for each object

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.sse_algorithm
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_policy" "attachments" {
  bucket = aws_s3_bucket.attachments.id
  policy = local.bucket_policy_json

  # S3 refuses two changes of a bucket's access at once.
  depends_on = [aws_s3_bucket_public_access_block.attachments, aws_s3_bucket_ownership_controls.attachments]
}

resource "aws_s3_bucket_cors_configuration" "attachments" {
  count  = length(var.allowed_origins) > 0 ? 1 : 0
  bucket = aws_s3_bucket.attachments.id

  cors_rule {
    allowed_origins = var.allowed_origins
    allowed_methods = ["GET", "HEAD", "PUT", "POST"]
    allowed_headers = ["content-type", "if-none-match", "x-amz-checksum-*", "x-amz-meta-*"]
    expose_headers  = ["ETag", "x-amz-version-id"]
    max_age_seconds = 3600
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "attachments" {
  bucket = aws_s3_bucket.attachments.id

  # Smaller ones would cost more elsewhere.
  transition_default_minimum_object_size = "all_storage_classes_128K"

  rule {
    id     = "live-attachments"
    status = "Enabled"
    filter {}

    transition {
      days          = var.current_standard_ia_after_days
      storage_class = "STANDARD_IA"
    }

    dynamic "transition" {
      for_each = var.archive_current_after_days[*]

      content {
        days          = transition.value
        storage_class = "GLACIER"
      }
    }
  }

  rule {
    id     = "deleted-attachments"
    status = "Enabled"
    filter {}

    noncurrent_version_transition {
      noncurrent_days = var.noncurrent_days.standard_ia
      storage_class   = "STANDARD_IA"
    }
    noncurrent_version_transition {
      noncurrent_days = var.noncurrent_days.glacier
      storage_class   = "GLACIER"
    }
    noncurrent_version_transition {
      noncurrent_days = var.noncurrent_days.deep_archive
      storage_class   = "DEEP_ARCHIVE"
    }
    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days.expire
    }
  }

  rule {
    id     = "leftovers"
    status = "Enabled"
    filter {}

    expiration {
      expired_object_delete_marker = true
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = var.abort_multipart_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.attachments]
}

resource "aws_s3_bucket_logging" "attachments" {
  count  = var.access_log_bucket == null ? 0 : 1
  bucket = aws_s3_bucket.attachments.id

  target_bucket = var.access_log_bucket
  target_prefix = "s3/${local.bucket_name}/"
}
