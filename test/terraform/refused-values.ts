/** Values that a plan must refuse, and what it must say to whoever set them. */

export interface Refusal {
  readonly values: Readonly<Record<string, unknown>>;
  /** Variables that the rule reads besides. */
  readonly reads?: readonly string[];
  /** The way out. */
  readonly says: RegExp;
}

const ACCOUNT = "123456789012";
const PROD = { environment: "prod" };
const ENVIRONMENT = ["environment"];
const WHO_MAY = ["allowed_role_names", "allowed_role_arns", "allowed_sso_permission_sets"];

const NAME = /bucket_name has 3 to 63 characters: a-z, 0-9 and -.*Leave it null/;
const ROLE_NAME = /allowed_role_names are exact names.*of another account goes into allowed_role_arns/;
const ROLE_ARN = /allowed_role_arns are exact ARNs of roles, without wildcard: arn:aws:iam::123456789012:role\/NAME/;
const ORIGIN = /allowed_origins are exact origins as a browser sends them: https:\/\/app\.example\.com/;
const RISING = /noncurrent_days must rise: .*The default is 30, 90, 180, 365/;

/** One variable, and each of these values by itself. */
function each(name: string, values: readonly unknown[], says: RegExp, reads: readonly string[] = []): Refusal[] {
  return values.map((value) => ({ values: { [name]: value }, says, reads }));
}

export const REFUSED: readonly Refusal[] = [
  ...each("bucket_name", ["", "Acme", "ab", "a".repeat(64), "192.168.0.1", "-acme"], NAME),
  ...each("bucket_name", ["$(reboot)", "acme\nfiles", "acme--x-s3", "s3://acme"], NAME),
  ...each("region", ["Frankfurt", "us-east", ""], /region is the code of a region.*us-east-1 or eu-central-1/),
  ...each("project", ["T", "task flow", "-x", "p".repeat(31)], /project has 2 to 30 characters: .*Try taskflow/),
  ...each("environment", ["production", "Dev", ""], /environment is dev, staging or prod/),
  ...each("allowed_role_names", [["*"], ["app-*"], ["a/b"], [""]], ROLE_NAME, ENVIRONMENT),
  {
    values: { environment: "staging" },
    reads: ["allowed_role_names"],
    says: /A role of dev has no place here: .*set allowed_role_names.*anew/,
  },
  ...each("allowed_role_names", [[`arn:aws:iam::${ACCOUNT}:role/app`]], ROLE_NAME, ENVIRONMENT),
  ...each("allowed_role_arns", [["*"], [`arn:aws:iam::${ACCOUNT}:role/*`], ["arn:aws:iam::*:role/app"]], ROLE_ARN),
  ...each("allowed_role_arns", [[`arn:aws:iam::${ACCOUNT}:root`], [`arn:aws:iam::${ACCOUNT}:user/ada`]], ROLE_ARN),
  ...each("allowed_role_arns", [[`arn:aws:sts::${ACCOUNT}:assumed-role/app/session`]], ROLE_ARN),
  ...each("allowed_sso_permission_sets", [["*"], ["AWSReservedSSO_Dev_*"], ["Dev?"]], /are names of permission sets/),
  ...each("role_principal_mode", ["roles"], /role_principal_mode is condition, or principal once all the roles exist/),
  ...each(
    "admin_principal_arns",
    [["*"], [`arn:aws:iam::${ACCOUNT}:role/*`]],
    /exact ARNs of roles or users/,
    ENVIRONMENT,
  ),
  ...each(
    "admin_principal_arns",
    [[`arn:aws:iam::${ACCOUNT}:root`]],
    /root is never denied and need not be named/,
    ENVIRONMENT,
  ),
  ...each("allowed_origins", [["*"], ["https://*.example.com"], ["null"], ["app.example.com"], [""]], ORIGIN),
  ...each("allowed_origins", [["https://app.example.com/"], ["https://app.example.com/page"]], ORIGIN),
  ...each("allowed_origins", [["http://app.example.com"], ["https://App.example.com"], ["https://a,b"]], ORIGIN),
  ...each("sse_algorithm", ["AES", "aws:kms:dsse"], /sse_algorithm is AES256 or aws:kms/),
  ...each("current_standard_ia_after_days", [29, 30.5, -1], /a whole number from 30: S3 refuses STANDARD_IA earlier/),
  ...each("archive_current_after_days", [59, 60.5, 0], /at least 30 above .* null never archives live attachments/, [
    "current_standard_ia_after_days",
  ]),
  ...each("noncurrent_days", [{ standard_ia: 7 }, { expire: 365.5 }], /standard_ia from 30: S3 refuses/),
  ...each("noncurrent_days", [{ glacier: 59 }, { deep_archive: 90 }, { expire: 180 }], RISING),
  ...each("noncurrent_days", [{ standard_ia: 180, glacier: 90 }], RISING),
  ...each("abort_multipart_days", [0, 1.5, 91], /a whole number from 1 to 90/),
  ...each("tags", [{ "aws:team": "x" }], /doesn't begin with aws:.*Rename it/),
  {
    values: { kms_key_arn: "alias/attachments" },
    reads: ["sse_algorithm"],
    says: /kms_key_arn is the ARN of a key, not of an alias/,
  },
  { values: { sse_algorithm: "aws:kms" }, says: /kms_key_arn and sse_algorithm.* go together: set both, or neither/ },
  { values: { bucket_name: "acme", access_log_bucket: "acme" }, says: /the name of another bucket/ },
  { values: { ...PROD, force_destroy: true }, says: /prod never destroys its attachments: set force_destroy = false/ },
  {
    values: { ...PROD, deny_other_principals: false, allowed_role_names: ["app"] },
    reads: WHO_MAY,
    says: /set deny_other_principals = true/,
  },
  { values: { ...PROD, admin_principal_arns: [] }, says: /prod needs admin_principal_arns: .*Name at least one role/ },
  {
    values: {
      deny_other_principals: true,
      allowed_role_names: [],
      allowed_role_arns: [],
      allowed_sso_permission_sets: [],
    },
    says: /Nobody could use the attachments: name who may/,
  },
];
