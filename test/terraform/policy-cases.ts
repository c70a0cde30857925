/** Who may do what with the bucket, as the rendered policies must decide it. */
import type { Caller, Policy, Request } from "./iam.ts";
import type { Outputs } from "./plans.ts";

/** The bucket's, in the module's own tests. */
export const ACCOUNT = "871253127893";

/** As the module's own tests call their plans. */
export type PlanName = "dev" | "prod" | "prod_with_roles_as_principals";

export interface PolicyCase {
  readonly plan: PlanName;
  readonly title: string;
  readonly request: (outputs: Outputs) => Request;
  readonly allowed: boolean;
}

const EVERYTHING_ON_S3: Policy = { Statement: [{ Effect: "Allow", Action: "s3:*", Resource: ["*"] }] };
const ADMIN_ROLE = `arn:aws:iam::${ACCOUNT}:role/Admin`;
const DIRECT = "prod_with_roles_as_principals";
const PROD_ROLE = `arn:aws:iam::${ACCOUNT}:role/taskflow-prod-ecs-task-role`;
const SSO = `arn:aws:iam::${ACCOUNT}:role/aws-reserved/sso.amazonaws.com`;

/** As an administrator of the account: its own policies allow all of S3. */
const powerful = (arn: string): Caller => ({ arn, policy: EVERYTHING_ON_S3 });
const role = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;

type Who = Caller | ((outputs: Outputs) => Caller);
type On = "the bucket" | "an attachment" | "another object";

const RESOURCES: Readonly<Record<On, string>> = {
  "the bucket": "",
  "an attachment": "/tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_report.pdf",
  "another object": "/elsewhere/report.pdf",
};

function row(
  plan: PlanName,
  allowed: boolean,
  title: string,
  who: Who,
  action: string,
  on: On,
  more: Pick<Request, "tlsVersion"> = {},
): PolicyCase {
  return {
    plan,
    allowed,
    title: `${title}: s3:${action} on ${on}`,
    request: (outputs) => ({
      caller: typeof who === "function" ? who(outputs) : who,
      action: `s3:${action}`,
      resource: `${outputs.bucket_arn}${RESOURCES[on]}`,
      ...more,
    }),
  };
}

/** A role that has client_policy_json attached, as the README says. */
const client =
  (arn: string) =>
  ({ client_policy: policy }: Outputs): Caller => ({ arn, policy });
const nobody: Caller = { arn: null };
const lambda = client(role("taskflow-dev-lambda-role"));
const ecs = client(PROD_ROLE);
const release = client("arn:aws:iam::210987654321:role/ci/release");
/** Without a policy of its own. */
const bare: Caller = { arn: PROD_ROLE };

export const POLICY_CASES: readonly PolicyCase[] = [
  row("dev", true, "a named role", lambda, "PutObject", "an attachment"),
  row("dev", true, "a named role", lambda, "ListBucket", "the bucket"),
  row(
    "dev",
    true,
    "a named role with a path",
    client(role("app/taskflow-dev-lambda-role")),
    "GetObject",
    "an attachment",
  ),
  row("dev", true, "whoever applied, at once", powerful(role("Builder")), "PutObject", "an attachment"),
  row(
    "dev",
    true,
    "a developer",
    powerful(`${SSO}/AWSReservedSSO_Developer_0123456789abcdef`),
    "PutObject",
    "an attachment",
  ),
  row("dev", false, "another role without a policy", { arn: role("other") }, "GetObject", "an attachment"),
  row("dev", false, "a named role over plain HTTP", lambda, "GetObject", "an attachment", { tlsVersion: null }),
  row("dev", false, "a named role over plain HTTP", lambda, "ListBucket", "the bucket", { tlsVersion: null }),
  row("dev", false, "a named role over TLS 1.1", lambda, "PutObject", "an attachment", { tlsVersion: "1.1" }),
  row("dev", true, "a named role over TLS 1.2", lambda, "PutObject", "an attachment", { tlsVersion: "1.2" }),
  row("dev", false, "an administrator over TLS 1.0", powerful(ADMIN_ROLE), "PutBucketPolicy", "the bucket", {
    tlsVersion: "1.0",
  }),
  row("dev", false, "nobody", nobody, "GetObject", "an attachment"),
  row("dev", false, "nobody", nobody, "ListBucket", "the bucket"),

  row("prod", true, "a named role", ecs, "GetObject", "an attachment"),
  row("prod", true, "a named role", ecs, "DeleteObject", "an attachment"),
  row("prod", false, "a named role over plain HTTP", ecs, "GetObject", "an attachment", { tlsVersion: null }),
  row("prod", false, "a named role over TLS 1.1", ecs, "ListBucket", "the bucket", { tlsVersion: "1.1" }),
  row("prod", true, "a named role, for undelete", ecs, "GetObjectVersion", "an attachment"),
  row("prod", false, "a named role can't purge", ecs, "DeleteObjectVersion", "an attachment"),
  row("prod", false, "a named role can't change the policy", ecs, "PutBucketPolicy", "the bucket"),
  row("prod", false, "a named role can't turn versions off", ecs, "PutBucketVersioning", "the bucket"),
  row("prod", false, "a named role can't make an object public", ecs, "PutObjectAcl", "an attachment"),
  row("prod", false, "a named role stays under tasks/", ecs, "GetObject", "another object"),
  row(
    "prod",
    false,
    "a role whose name only ends so",
    powerful(role("x-taskflow-prod-ecs-task-role")),
    "GetObject",
    "an attachment",
  ),
  row(
    "prod",
    false,
    "the same name in another account",
    powerful("arn:aws:iam::999999999999:role/taskflow-prod-ecs-task-role"),
    "GetObject",
    "an attachment",
  ),
  row("prod", true, "a role of another account that is named", release, "PutObject", "an attachment"),
  row("prod", true, "a role of another account that is named", release, "ListBucket", "the bucket"),
  row(
    "prod",
    false,
    "it without a policy of its own account",
    { arn: "arn:aws:iam::210987654321:role/ci/release" },
    "PutObject",
    "an attachment",
  ),
  row(
    "prod",
    false,
    "another role of that account",
    powerful("arn:aws:iam::210987654321:role/ci/other"),
    "PutObject",
    "an attachment",
  ),
  row("prod", true, "an administrator who is named", powerful(ADMIN_ROLE), "GetObject", "an attachment"),
  row(
    "prod",
    true,
    "an administrator who is named, for a purge",
    powerful(ADMIN_ROLE),
    "DeleteObjectVersion",
    "an attachment",
  ),
  row("prod", false, "another administrator", powerful(role("OtherAdmin")), "GetObject", "an attachment"),
  row("prod", false, "another administrator", powerful(role("OtherAdmin")), "PutObject", "another object"),
  row("prod", true, "another administrator can list", powerful(role("OtherAdmin")), "ListBucket", "the bucket"),
  row("prod", true, "another administrator can repair", powerful(role("OtherAdmin")), "PutBucketPolicy", "the bucket"),
  row(
    "prod",
    false,
    "a developer of dev",
    powerful(`${SSO}/AWSReservedSSO_Developer_0123456789abcdef`),
    "GetObject",
    "an attachment",
  ),
  row("prod", true, "the account's root", { arn: `arn:aws:iam::${ACCOUNT}:root` }, "GetObject", "an attachment"),
  row("prod", false, "another account's root", { arn: "arn:aws:iam::999999999999:root" }, "GetObject", "an attachment"),
  row("prod", false, "nobody", nobody, "GetObject", "an attachment"),
  row(
    "prod",
    false,
    "a service of AWS that nobody named",
    { arn: null, isService: true },
    "PutObject",
    "an attachment",
  ),

  row(DIRECT, true, "a named role needs no policy of its own", bare, "PutObject", "an attachment"),
  row(DIRECT, true, "a named role needs no policy of its own", bare, "ListBucket", "the bucket"),
  row(DIRECT, false, "a named role over plain HTTP", bare, "PutObject", "an attachment", { tlsVersion: null }),
  row(DIRECT, false, "a named role over TLS 1.1", bare, "ListBucket", "the bucket", { tlsVersion: "1.1" }),
  row(DIRECT, false, "another role", powerful(role("other")), "PutObject", "an attachment"),
  row(DIRECT, false, "a named role can't purge", bare, "DeleteObjectVersion", "an attachment"),
];
