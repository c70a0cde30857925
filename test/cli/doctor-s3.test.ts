/** `doctor` on a bucket: a healthy one, and each fault by its id. */
import {
  DeleteBucketEncryptionCommand,
  DeleteBucketOwnershipControlsCommand,
  DeleteBucketPolicyCommand,
  DeletePublicAccessBlockCommand,
  CreateMultipartUploadCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutPublicAccessBlockCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { CHECK_IDS } from "../../src/storage/check-ids.ts";
import { DEFAULT_LIFECYCLE } from "../../src/storage/lifecycle/rules.ts";
import type { LifecycleRule } from "../../src/storage/lifecycle/rules.ts";
import type { User } from "../servers/s3-double/permissions.ts";
import type { S3DoubleOptions } from "../servers/s3-double/server.ts";
import { BUCKET, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";
import { examine } from "./doctor.ts";

const ORIGIN = "https://app.example.com";
const OWN = ["node", "settings", "store"];
const OWNER: User = { accessKeyId: "AKIAS3DOUBLE00000001", secretAccessKey: "owner" };
const USER = { accessKeyId: "AKIAS3DOUBLE00000002", secretAccessKey: "user" };
const Bucket = BUCKET;

/** A bucket as Terraform makes it. */
async function healthy(options: Partial<S3DoubleOptions> = {}): Promise<S3World & { client: S3Client }> {
  const world = await createS3World({ users: [OWNER], ...options });
  const owner = options.users?.find((user) => user.secretAccessKey === OWNER.secretAccessKey) ?? OWNER;
  const client = new S3Client({
    endpoint: world.s3.endpoint,
    region: world.s3.region,
    forcePathStyle: true,
    credentials: owner,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  const all = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
  await client.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: all }));
  const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" as const } }];
  await client.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
  const OwnershipControls = { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" as const }] };
  await client.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }));
  await client.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf({ Effect: "Deny" }) }));
  await putRules(client, DEFAULT_LIFECYCLE.Rules);
  await client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [corsRule()] } }));
  world.s3.clear();
  return { ...world, client };
}

function policyOf(statement: object): string {
  return JSON.stringify({ Statement: [{ Principal: "*", Action: "s3:*", Resource: "*", ...statement }] });
}

async function putRules(client: S3Client, rules: readonly LifecycleRule[]): Promise<void> {
  // oxlint-disable-next-line typescript/no-unsafe-assignment -- S3's own JSON, whose names the SDK's types share
  const LifecycleConfiguration = JSON.parse(JSON.stringify({ Rules: rules }));
  // oxlint-disable-next-line typescript/no-unsafe-assignment -- the same
  await client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
}

/** As terraform/ has it. */
function corsRule(more: object = {}) {
  return {
    AllowedOrigins: [ORIGIN],
    AllowedMethods: ["GET", "HEAD", "PUT"],
    AllowedHeaders: ["content-type", "if-none-match", "x-amz-checksum-*", "x-amz-meta-*"],
    ExposeHeaders: ["ETag", "x-amz-version-id"],
    ...more,
  };
}

async function beginUpload(client: S3Client, bytes: number): Promise<void> {
  const at = { Bucket, Key: "tasks/T-1/large.bin" };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
  await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: Buffer.alloc(bytes) }));
}

const DAY_MS = 86_400_000;

describe("doctor on a bucket", () => {
  test("a healthy one has no fault, each check is there in order, and nothing is changed", async () => {
    const world = await healthy();
    const { exit, faults, checks, of } = await examine(world);
    expect([exit, faults]).toEqual([0, []]);
    expect(checks.map(({ id }) => id)).toEqual([...OWN, ...CHECK_IDS.s3]);
    expect(of("store").message).toBe("s3://acme, named by AWS_S3_BUCKET in the environment");
    expect(of("credentials").message).toBe("the access key of the environment, which doesn't end");
    expect(of("bucket").message).toBe(`s3://acme answers at ${world.s3.endpoint}, in us-east-1`);
    expect(of("encryption").message).toBe("AES256");
    expect(of("lifecycle").message).toBe("3 rules");
    expect(of("cors").message).toBe(`pages of ${ORIGIN} may use links`);
    expect(world.s3.requests.every(({ method }) => method === "GET" || method === "HEAD")).toBe(true);
  });

  const faults: readonly (readonly [string, string, number, (world: S3World & { client: S3Client }) => unknown])[] = [
    [
      "no public access block",
      "public-access warn",
      0,
      ({ client }) => client.send(new DeletePublicAccessBlockCommand({ Bucket })),
    ],
    ["no encryption", "encryption warn", 0, ({ client }) => client.send(new DeleteBucketEncryptionCommand({ Bucket }))],
    [
      "ACLs that count",
      "ownership warn",
      0,
      ({ client }) => client.send(new DeleteBucketOwnershipControlsCommand({ Bucket })),
    ],
    ["no policy", "policy warn", 0, ({ client }) => client.send(new DeleteBucketPolicyCommand({ Bucket }))],
    [
      "a public policy",
      "policy fail",
      5,
      ({ client }) => client.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf({ Effect: "Allow" }) })),
    ],
    ["suspended versioning", "versioning warn", 0, ({ s3 }) => s3.setVersioning(Bucket, "Suspended")],
    ["a clock that is wrong", "clock warn", 0, ({ s3 }) => s3.shiftClock(-120_000)],
    [
      "all origins allowed",
      "cors warn",
      0,
      ({ client }) =>
        client.send(
          new PutBucketCorsCommand({
            Bucket,
            CORSConfiguration: { CORSRules: [corsRule({ AllowedOrigins: ["*"] })] },
          }),
        ),
    ],
    [
      "a rule that deletes live ones",
      "lifecycle warn",
      0,
      ({ client }) =>
        putRules(client, [
          ...DEFAULT_LIFECYCLE.Rules,
          { ID: "all", Status: "Enabled", Filter: {}, Expiration: { Days: 90 } },
        ]),
    ],
    [
      "a rule that archives live ones",
      "lifecycle warn",
      0,
      ({ client }) =>
        putRules(client, [
          ...DEFAULT_LIFECYCLE.Rules,
          { ID: "cold", Status: "Enabled", Filter: {}, Transitions: [{ Days: 90, StorageClass: "GLACIER" }] },
        ]),
    ],
    [
      "rules that are off",
      "lifecycle warn",
      0,
      ({ client }) => putRules(client, [{ ID: "off", Status: "Disabled", Filter: {}, Expiration: { Days: 1 } }]),
    ],
  ];
  test.each(faults)("%s is found: %s", async (_, fault, exit, breakIt) => {
    const world = await healthy();
    await breakIt(world);
    const found = await examine(world);
    expect([found.exit, found.faults]).toEqual([exit, [fault]]);
    const [id = ""] = fault.split(" ");
    expect(found.of(id).fix).toEqual(expect.any(String));
  });

  test("what a rule would do to live attachments is said", async () => {
    const world = await healthy();
    await putRules(world.client, [
      { ID: "gone", Status: "Enabled", Filter: {}, Expiration: { Days: 90 } },
      { ID: "cold", Status: "Enabled", Filter: {}, Transitions: [{ Days: 30, StorageClass: "DEEP_ARCHIVE" }] },
    ]);
    expect((await examine(world)).of("lifecycle").message).toBe(
      "2 rules: gone deletes live attachments after 90 days; cold archives live attachments after 30 days, and links to them fail; deleted versions are kept for ever; unfinished uploads are kept for ever",
    );
  });

  test("a bucket that isn't there: later checks are skipped, with the reason", async () => {
    const world = await healthy();
    const { exit, faults: found, of } = await examine(world, [], { env: { AWS_S3_BUCKET: "nobodys" } });
    expect([exit, found]).toEqual([5, ["bucket fail"]]);
    expect(of("bucket").message).toContain("there is no bucket nobodys (named in AWS_S3_BUCKET in the environment)");
    expect(of("clock").status).toBe("ok");
    expect(of("versioning")).toMatchObject({ status: "skip", message: "the bucket can't be reached" });
  });

  test("a server that isn't there", async () => {
    const world = await healthy();
    const env = { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9", TASKFLOW_RETRY_FOR: "1s" };
    const { exit, faults: found, of } = await examine(world, [], { env });
    expect([exit, found, of("clock").status]).toEqual([6, ["bucket fail"], "skip"]);
    expect(of("bucket").message).toContain("nothing answers");
  });

  test("another region than the bucket's", async () => {
    const world = await healthy({
      buckets: { [BUCKET]: { region: "eu-central-1", versioning: "Enabled" } },
      region: "eu-central-1",
    });
    const { exit, faults: found, of } = await examine(world, [], { env: { AWS_REGION: "us-west-2" } });
    expect([exit, found]).toEqual([5, ["bucket fail"]]);
    expect(of("bucket").fix).toContain("eu-central-1");
  });

  test.each([
    [
      "an unknown access key",
      { AWS_ACCESS_KEY_ID: "AKIANOBODYS000000000" },
      "not known there",
      "the store doesn't take the credentials",
    ],
    [
      "a wrong secret",
      { AWS_SECRET_ACCESS_KEY: "wrong" },
      "doesn't belong to the access key",
      "the store doesn't take the credentials",
    ],
    [
      "keys that have ended",
      { AWS_SESSION_TOKEN: "t", AWS_CREDENTIAL_EXPIRATION: "2020-01-01T00:00:00Z" },
      "ended at 2020",
      "the credentials have ended",
    ],
  ])("%s is the fault of the credentials: all else is skipped, and why", async (_, env, said, why) => {
    const world = await healthy();
    const { exit, faults: found, of, checks } = await examine(world, ["--write"], { env });
    expect([exit, found]).toEqual([4, ["credentials fail"]]);
    expect(of("credentials").message).toContain(said);
    expect(checks.filter(({ status }) => status === "skip").map(({ id }) => id)).toEqual([
      ...CHECK_IDS.s3.slice(1),
      ...["put", "read", "once", "list", "delete", "clean"].map((step) => `write-${step}`),
    ]);
    expect(of("bucket").message).toBe(why);
  });

  test("a session's end is told, and that it is near or not known", async () => {
    const session = { ...USER, sessionToken: "t" };
    const world = await healthy({ users: [OWNER, session] });
    const keys = {
      AWS_ACCESS_KEY_ID: USER.accessKeyId,
      AWS_SECRET_ACCESS_KEY: USER.secretAccessKey,
      AWS_SESSION_TOKEN: "t",
    };
    const until = async (ms: number | null) => {
      const end = ms === null ? {} : { AWS_CREDENTIAL_EXPIRATION: new Date(Date.now() + ms).toISOString() };
      return (await examine(world, [], { env: { ...keys, ...end } })).of("credentials");
    };
    expect(await until(DAY_MS)).toMatchObject({
      status: "ok",
      message: expect.stringContaining(", until 2") as string,
    });
    expect(await until(60_000)).toMatchObject({ status: "warn", fix: expect.stringContaining("sign in") as string });
    expect(await until(null)).toMatchObject({
      status: "warn",
      message: expect.stringContaining("nobody knows") as string,
    });
  });

  test("what may not be read is skipped with the permission it takes; nothing of that is a fault", async () => {
    const allow = [{ actions: ["s3:ListBucket", "s3:GetObject", "s3:PutObject"] }];
    const world = await healthy({ users: [{ ...USER, allow }, OWNER] });
    const { exit, faults: found, of } = await examine(world);
    expect([exit, found]).toEqual([0, []]);
    for (const id of ["public-access", "encryption", "ownership", "policy", "versioning", "lifecycle", "unfinished"]) {
      expect(of(id), id).toMatchObject({ status: "skip", fix: expect.stringMatching(/^it takes s3:/) as string });
    }
  });

  test("who may list the tasks alone has what it takes; who may not list has a fault, and the rest is looked at", async () => {
    const tasks = [{ actions: ["s3:ListBucket"], prefix: "tasks/" }, { actions: ["s3:Get*"] }];
    const world = await healthy({ users: [{ ...USER, allow: tasks }, OWNER] });
    expect((await examine(world)).of("bucket").status).toBe("ok");
    const deaf = await healthy({ users: [{ ...USER, allow: [{ actions: ["s3:Get*"] }] }, OWNER] });
    const { exit, of } = await examine(deaf);
    expect([exit, of("bucket").message]).toEqual([4, expect.stringContaining("s3:ListBucket")]);
    expect(of("encryption").status).toBe("ok");
  });

  test("a clock that is so wrong that requests are refused is told by how much", async () => {
    const world = await healthy();
    world.s3.shiftClock(-20 * 60_000);
    const { of } = await examine(world);
    expect(of("clock")).toMatchObject({
      status: "warn",
      message: expect.stringMatching(/^this machine's clock is (1199|120[01]) s ahead of the server's$/) as string,
    });
  });

  test("a store that doesn't have a thing skips it", async () => {
    const world = await healthy();
    for (const operation of ["GetBucketPublicAccessBlock", "GetBucketEncryption", "GetBucketOwnershipControls"]) {
      world.s3.fault({ operation }, { kind: "reply", reply: { status: 501, code: "NotImplemented" } });
    }
    const empty = "<PolicyStatus/>";
    world.s3.fault({ operation: "GetBucketPolicyStatus" }, { kind: "reply", reply: { status: 200, body: empty } });
    const { exit, faults: found, of } = await examine(world);
    expect([exit, found, of("policy").status, of("encryption").status]).toEqual([0, [], "skip", "skip"]);
    expect(of("public-access").message).toBe("this store doesn't tell the public access block");
    expect(of("policy").message).toBe("this store doesn't tell whether the policy is public");
  });
});

describe("unfinished uploads", () => {
  test("are told with their bytes and age; --fix aborts those older than 7 days, and says so", async () => {
    const world = await healthy();
    await beginUpload(world.client, 1000);
    expect((await examine(world)).of("unfinished")).toMatchObject({
      status: "ok",
      message: "1 upload with 1000 bytes, the oldest less than a day old",
    });
    expect((await examine(world, ["--fix"])).of("unfinished").message).toContain("1 upload with");
    expect(world.s3.uploads(BUCKET)).toHaveLength(1);
  });

  test("older than a day they are worth a look, older than 7 days --fix aborts them", async () => {
    let began = 0;
    const world = await healthy({ now: () => new Date(Date.now() - began) });
    began = 8 * DAY_MS;
    world.client.config.systemClockOffset = -began;
    await beginUpload(world.client, 1000);
    began = 0;
    const { of } = await examine(world);
    expect(of("unfinished")).toMatchObject({
      status: "warn",
      message: "1 upload with 1000 bytes, the oldest 8 days old",
      fix: "taskflow attach doctor --fix aborts those older than 7 days",
    });
    expect((await examine(world, ["--fix"])).of("unfinished")).toMatchObject({
      status: "ok",
      message: "aborted 1 upload with 1000 bytes, the oldest 8 days old",
    });
    expect(world.s3.uploads(BUCKET)).toEqual([]);
    expect((await examine(world)).of("unfinished").message).toBe("none");
  });
});

describe("--origin", () => {
  test("sends the preflight of a PUT link, with every header it needs", async () => {
    const world = await healthy();
    const { exit, of } = await examine(world, ["--origin", ORIGIN]);
    expect([exit, of("cors").status, of("cors").message]).toEqual([
      0,
      "ok",
      `pages of ${ORIGIN} may GET and PUT: the bucket says so to a browser`,
    ]);
    const [put, get] = world.s3.requests.filter(({ operation }) => operation === "Preflight");
    expect(put?.headers["access-control-request-headers"]).toBe(
      "content-type,if-none-match,x-amz-checksum-sha256,x-amz-meta-created,x-amz-meta-name,x-amz-meta-sha256,x-amz-meta-size,x-amz-meta-v",
    );
    expect(put?.path).toMatch(/^\/acme\/tasks\/taskflow-doctor\//);
    expect([put?.headers["authorization"], get?.headers["access-control-request-method"]]).toEqual([undefined, "GET"]);
    expect(world.s3.keys(BUCKET)).toEqual([]);
  });

  test("that is refused prints the line for Terraform, with the origins that are allowed already", async () => {
    const world = await healthy();
    const { exit, of } = await examine(world, ["--origin", "https://new.example.com"]);
    expect([exit, of("cors")]).toMatchObject([
      5,
      {
        status: "fail",
        message: expect.stringContaining("https://new.example.com is not allowed (403)") as string,
        fix: expect.stringMatching(
          /\nallowed_origins = \["https:\/\/app\.example\.com", "https:\/\/new\.example\.com"\]$/,
        ) as string,
      },
    ]);
  });

  test.each([
    ["no rules", []],
    ["a rule without PUT", [corsRule({ AllowedMethods: ["GET", "HEAD"] })]],
    ["a rule without the checksum", [corsRule({ AllowedHeaders: ["content-type", "if-none-match", "x-amz-meta-*"] })]],
    ["a rule without GET", [corsRule({ AllowedMethods: ["PUT"] })]],
  ])("with %s is refused", async (_, CORSRules) => {
    const world = await healthy();
    if (CORSRules.length > 0) {
      await world.client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    } else world.s3.addBucket(BUCKET);
    expect((await examine(world, ["--origin", ORIGIN])).of("cors")).toMatchObject({ status: "fail" });
  });

  test("a link endpoint where nothing answers is a failure of the network, not of ours", async () => {
    const world = await healthy();
    const env = { TASKFLOW_LINK_ENDPOINT: "http://127.0.0.1:9" };
    const { exit, of } = await examine(world, ["--origin", ORIGIN], { env });
    expect([exit, of("cors").message]).toEqual([6, expect.stringContaining("nothing answers at 127.0.0.1:9")]);
  });

  test("asks where links lead, if that is another place than the endpoint", async () => {
    const world = await healthy();
    const env = { TASKFLOW_LINK_ENDPOINT: world.s3.endpoint.replace("127.0.0.1", "localhost") };
    expect((await examine(world, ["--origin", ORIGIN], { env })).of("cors").status).toBe("ok");
    const put = world.s3.requests.find(({ operation }) => operation === "Preflight");
    expect(put?.headers["host"]).toMatch(/^localhost:/);
  });
});

describe("--write", () => {
  test("puts, reads, lists and deletes a probe, and leaves nothing of it", async () => {
    const world = await healthy();
    const { exit, checks } = await examine(world, ["--write"]);
    expect([exit, checks.slice(-6).map(({ id, status }) => `${id} ${status}`)]).toEqual([
      0,
      ["write-put ok", "write-read ok", "write-once ok", "write-list ok", "write-delete ok", "write-clean ok"],
    ]);
    expect(world.s3.versions(BUCKET)).toEqual([]);
  });

  test.each([
    ["s3:PutObject", ["write-put fail"]],
    ["s3:GetObject", ["write-read fail"]],
    // Then the probe can't be cleaned away either.
    ["s3:DeleteObject", ["write-delete fail", "write-clean warn"]],
  ] as const)("names the permission that is missing: %s", async (action, wanted) => {
    const world = await healthy({ users: [{ ...USER, deny: [{ actions: [action] }] }, OWNER] });
    const { exit, faults: found, of } = await examine(world, ["--write"]);
    expect([exit, found]).toEqual([4, wanted]);
    expect(of(wanted[0].split(" ")[0] ?? "").message).toContain(`may not ${action} on`);
    const stays = wanted.length > 1;
    expect(world.s3.keys(BUCKET)).toHaveLength(stays ? 1 : 0);
    if (stays) expect(of("write-clean").fix).toMatch(/^delete it: taskflow attach delete tasks\/taskflow-doctor\//);
  });

  test("says where a store doesn't know If-None-Match", async () => {
    const world = await healthy();
    const refused = { status: 501, code: "NotImplemented" };
    world.s3.fault({ operation: "PutObject", nth: 1 }, { kind: "reply", reply: refused });
    const { exit, of } = await examine(world, ["--write"]);
    expect([exit, of("write-once")]).toMatchObject([
      0,
      { status: "warn", message: expect.stringContaining("doesn't know If-None-Match") as string },
    ]);
    expect(world.s3.versions(BUCKET)).toEqual([]);
  });

  test("by a role that may not purge, its deleted version stays, which is said", async () => {
    const world = await healthy({ users: [{ ...USER, deny: [{ actions: ["s3:DeleteObjectVersion"] }] }, OWNER] });
    const { exit, of } = await examine(world, ["--write"]);
    expect([exit, of("write-clean")]).toMatchObject([
      0,
      { status: "warn", message: expect.stringContaining("s3:DeleteObjectVersion") as string },
    ]);
    expect(world.s3.keys(BUCKET)).toEqual([]);
  });
});
