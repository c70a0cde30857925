/**
 * As much of IAM's evaluation as the bucket's policies use: an explicit deny wins; within an account either side may
 * allow, across accounts both must (IAM User Guide, "Policy evaluation logic"). What it doesn't know, it throws at.
 */
export interface Policy {
  readonly Statement: readonly Statement[];
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  /** Absent in a policy of an identity. */
  readonly Principal?: "*" | { readonly AWS: readonly string[] };
  readonly Action: string | readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface Caller {
  /** Of the role, user or account root; `null`: nobody signed, or a service of AWS asks. */
  readonly arn: string | null;
  readonly isService?: boolean;
  /** What is attached to it. */
  readonly policy?: Policy;
}

export interface Request {
  readonly caller: Caller;
  readonly action: string;
  readonly resource: string;
  /** `null`: plain HTTP. Absent: 1.3. */
  readonly tlsVersion?: string | null;
}

/** `account`: the bucket's. */
export function isAllowed(request: Request, bucketPolicy: Policy, account: string): boolean {
  const { arn, policy } = request.caller;
  const context = contextOf(request);
  const ofBucket = bucketPolicy.Statement.filter((each) => covers(each, request, context));
  const ofIdentity = (policy?.Statement ?? []).filter((each) => covers(each, request, context));
  if ([...ofBucket, ...ofIdentity].some(({ Effect }) => Effect === "Deny")) return false;
  const bucketAllows = ofBucket.filter(({ Effect }) => Effect === "Allow");
  const identityAllows = ofIdentity.length > 0 || isRoot(arn);
  if (arn !== null && accountOf(arn) === account) {
    // Naming the account leaves it to the account's own policies; naming the caller allows by itself.
    return identityAllows || bucketAllows.some(({ Principal }) => names(Principal, arn));
  }
  if (arn === null) return bucketAllows.some(({ Principal }) => Principal === "*");
  return identityAllows && bucketAllows.length > 0;
}

type Context = Readonly<Record<string, string | undefined>>;

function contextOf({ caller, tlsVersion = "1.3" }: Request): Context {
  return {
    "aws:PrincipalArn": caller.arn ?? undefined,
    "aws:PrincipalIsAWSService": String(caller.isService === true),
    "aws:SecureTransport": String(tlsVersion !== null),
    "s3:TlsVersion": tlsVersion ?? undefined,
  };
}

function covers(statement: Statement, { caller, action, resource }: Request, context: Context): boolean {
  const { Principal, Action, Resource, Condition = {} } = statement;
  return (
    (Principal === undefined || includes(Principal, caller.arn)) &&
    [Action].flat().some((pattern) => matches(pattern, action)) &&
    Resource.some((pattern) => matches(pattern, resource)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => holds(operator, context[key], [values].flat())),
    )
  );
}

function includes(principal: NonNullable<Statement["Principal"]>, arn: string | null): boolean {
  if (principal === "*") return true;
  return arn !== null && principal.AWS.some((each) => each === arn || (isRoot(each) && sameAccount(each, arn)));
}

function names(principal: Statement["Principal"], arn: string): boolean {
  return principal === "*" || principal?.AWS.includes(arn) === true;
}

/** Every operator by its table entry; a condition on what a request doesn't have holds only where it says not or if. */
function holds(operator: string, value: string | undefined, expected: readonly string[]): boolean {
  const check = OPERATORS[operator];
  if (check === undefined) throw new Error(`a condition that nobody taught this: ${operator}`);
  if (value === undefined) return operator.endsWith("IfExists") || /Not/.test(operator);
  return check(value, expected);
}

const OPERATORS: Readonly<Record<string, (value: string, expected: readonly string[]) => boolean>> = {
  Bool: (value, expected) => expected.includes(value),
  BoolIfExists: (value, expected) => expected.includes(value),
  NumericLessThan: (value, expected) => expected.some((limit) => Number(value) < Number(limit)),
  ArnLike: (value, expected) => expected.some((pattern) => matchesArn(pattern, value)),
  ArnNotLike: (value, expected) => !expected.some((pattern) => matchesArn(pattern, value)),
};

/** Each of the six parts by itself: no wildcard reaches over a colon. */
function matchesArn(pattern: string, arn: string): boolean {
  const [patterns, parts] = [pattern.split(":"), arn.split(":")];
  return patterns.length === parts.length && patterns.every((each, at) => matches(each, parts[at] ?? ""));
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(text);
}

function isRoot(arn: string | null): boolean {
  return arn?.endsWith(":root") === true;
}

function sameAccount(one: string, other: string): boolean {
  return accountOf(one) === accountOf(other);
}

function accountOf(arn: string): string {
  return arn.split(":")[4] ?? "";
}
