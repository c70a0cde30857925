/**
 * The S3 that a test file runs on: the double, unless TASKFLOW_TEST_SERVER names another. The same tests run on each;
 * what a server can't do, or does otherwise, stands here with its reason.
 */
import type { S3Credentials, S3Settings } from "../../src/storage/s3-settings.ts";
import { DEFAULT_S3_SETTINGS } from "../../src/storage/s3-settings.ts";
import type { Exceptions } from "../conformance/harness.ts";
import { hasTool, missing } from "../tools.ts";
import type { Versioning } from "./buckets.ts";
import { startCeph } from "./ceph.ts";
import type { Keys, CephOptions } from "./ceph.ts";
import { startMoto } from "./moto.ts";
import { startS3Double } from "./s3-double/server.ts";

export interface TestServer {
  readonly name: ServerName;
  /** `null`: AWS. */
  readonly endpoint: string | null;
  /** `null`: asked of the bucket. */
  readonly region: string | null;
  /** `null`: whatever the environment has. */
  readonly owner: Keys | null;
  /** Who may do nothing with the owner's buckets; `null`: everybody may do everything, or nobody else is known. */
  readonly stranger: Keys | null;
  /** The one bucket there is, whose other contents are not ours; `null`: buckets are made as they are needed. */
  readonly onlyBucket: string | null;
  /** Of the driver, in buckets of this kind. */
  exceptions(versioning: Versioning): Exceptions;
  /** Why a delete destroys old versions too, once versioning is suspended. Absent: it keeps them. */
  readonly forgetsOnceSuspended?: string;
  /** What its links are trusted with, though they don't bind it, and why. */
  readonly trusting?: { readonly signatures?: string; readonly digests?: string; readonly conditions?: string };
  /** Where CreateBucket isn't known. */
  addBucket?(name: string): void;
  stop(): Promise<void>;
}

export type ServerName = keyof typeof SERVERS;

export async function startTestServer(): Promise<TestServer> {
  const name = process.env.TASKFLOW_TEST_SERVER ?? "double";
  if (!isServerName(name)) {
    throw new Error(`TASKFLOW_TEST_SERVER is ${name}, not one of ${Object.keys(SERVERS).join(", ")}`);
  }
  return await SERVERS[name]();
}

/** How taskflow's driver reaches it. */
export function settingsFor({ endpoint, region, owner }: TestServer): S3Settings {
  return { ...DEFAULT_S3_SETTINGS, endpoint, region, credentials: credentialsOf(owner), retryForSeconds: 60 };
}

const SERVERS = { double: startDouble, ceph: () => startGateway(), moto: startEmulator, aws: openAws };

function isServerName(name: string): name is ServerName {
  return Object.hasOwn(SERVERS, name);
}

/** S3 itself does these otherwise than a folder, so all S3s do. */
function s3Exceptions(versioning: Versioning): Exceptions {
  return {
    bothDeletesMayWin: "a delete answers the same for a key that never was: nobody is told who was first",
    bothUndeletesMayWin: "removing a marker that is gone is no error",
    appliesItself: "S3 does once a day what the rules of a bucket ask for",
    ...(versioning === "Enabled" ? {} : { keepsNothing: "without versions a delete is for good" }),
  };
}

/** Of Ceph 16. */
function cephExceptions(versioning: Versioning): Exceptions {
  return {
    ...s3Exceptions(versioning),
    // Where versions are kept the driver sees that it replaced something, and takes it back.
    ...(versioning === "Enabled" ? {} : { bothLargePutsMayWin: "CompleteMultipartUpload ignores If-None-Match" }),
  };
}

const CEPH_TRUSTS = {
  digests: "it takes x-amz-checksum-sha256 for a header like any other",
  conditions: "it ignores If-None-Match where versions are kept",
};

/** Of moto 5.2. */
function motoExceptions(versioning: Versioning): Exceptions {
  return {
    ...s3Exceptions(versioning),
    bothLargePutsMayWin: "it looks for the key first and puts the parts together then",
  };
}

async function startDouble(): Promise<TestServer> {
  const owner = { accessKeyId: "AKIAS3DOUBLE00000001", secretAccessKey: "not-a-secret/only+the-double-knows-it" };
  const stranger = { accessKeyId: "AKIAS3DOUBLE00000002", secretAccessKey: "another/that+only-the-double-knows" };
  const server = await startS3Double({ buckets: {}, users: [owner, { ...stranger, allow: [] }] });
  return {
    name: "double",
    endpoint: server.endpoint,
    region: server.region,
    owner,
    stranger,
    onlyBucket: null,
    exceptions: s3Exceptions,
    addBucket: (name) => server.addBucket(name),
    stop: () => server.close(),
  };
}

/** A Ceph of its own. */
export async function startGateway(options: CephOptions = {}): Promise<TestServer> {
  need("ceph-mon", "ceph-osd", "ceph", "radosgw");
  const ceph = await startCeph(options);
  return { ...ceph, name: "ceph", onlyBucket: null, exceptions: cephExceptions, trusting: CEPH_TRUSTS };
}

async function startEmulator(): Promise<TestServer> {
  need("python3");
  const moto = await startMoto();
  const owner = { accessKeyId: "AKIAMOTO000000000001", secretAccessKey: "moto-looks-at-no-secret" };
  return {
    ...moto,
    name: "moto",
    owner,
    // It verifies no signature and knows no owners.
    stranger: null,
    onlyBucket: null,
    exceptions: motoExceptions,
    trusting: { signatures: "it verifies none", digests: "it verifies none that a link brings" },
    forgetsOnceSuspended: "it looks for versions only while they are kept",
  };
}

/** With the environment's credentials. AWS_ENDPOINT_URL_S3 makes it any other S3 that somebody runs. */
function openAws(): Promise<TestServer> {
  const { TASKFLOW_TEST_BUCKET: bucket, AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: region } = process.env;
  if (bucket === undefined || bucket === "") {
    return Promise.reject(new Error("name a bucket: TASKFLOW_TEST_BUCKET=my-bucket npm run test:aws"));
  }
  return Promise.resolve({
    name: "aws",
    endpoint: endpoint ?? null,
    region: region ?? null,
    owner: null,
    stranger: null,
    onlyBucket: bucket,
    exceptions: s3Exceptions,
    stop: () => Promise.resolve(),
  });
}

/** Whoever asks for a server wants its tests: nothing is skipped. */
function need(...programs: string[]): void {
  for (const program of programs) if (!hasTool(program)) throw new Error(missing(program));
}

function credentialsOf(keys: Keys | null): S3Credentials {
  return keys === null ? { kind: "chain" } : { kind: "keys", ...keys, sessionToken: null, expiresAt: null };
}
