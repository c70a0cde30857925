/** The S3 store: an attachment is an object at its key, with all that is known of it as metadata. */
import type { S3Client } from "@aws-sdk/client-s3";
import { TaskflowError } from "../../errors.ts";
import type { StorageDriver, Supports, Versions } from "../driver.ts";
import { DEFAULT_S3_SETTINGS } from "../s3-settings.ts";
import type { Pace } from "../pace.ts";
import type { S3Settings } from "../s3-settings.ts";
import { checkBucket } from "./checks/bucket-checks.ts";
import { createClient, isAwsEndpoint, openTransport } from "./client/client.ts";
import { deleteKeys } from "./versions/delete.ts";
import { BLOCK, MAX_PARTS } from "./upload/digest.ts";
import { get } from "./read/get.ts";
import { head } from "./read/head.ts";
import { s3Lifecycle } from "./lifecycle.ts";
import { firstRecord } from "./versions/first-record.ts";
import { headDeleted, listDeleted } from "./versions/list-deleted.ts";
import { inspect } from "./read/inspect.ts";
import { openLedger } from "./upload/ledger.ts";
import { list } from "./read/list.ts";
import { s3Presigner } from "./links/presigner.ts";
import { purgeKeys } from "./versions/purge.ts";
import { put } from "./upload/put.ts";
import { FIRST_REGION, askRegion, configuredRegion } from "./client/region.ts";
import { createRetryStrategy } from "./client/retry.ts";
import { GiB } from "./store.ts";
import type { S3Store } from "./store.ts";
import type { Transport } from "./client/transport.ts";
import { thaw } from "./read/thaw.ts";
import { undeleteKeys } from "./versions/undelete.ts";
import { versioningOf } from "./versions/versioning.ts";
import { LIMITS } from "./client/watchdog.ts";
import type { Limits } from "./client/watchdog.ts";

export interface S3Options {
  /** Asked for once, now. Absent: AWS, with whatever the SDK finds. */
  readonly s3?: () => S3Settings;
  /** What a person should hear, though it works. */
  readonly onWarning?: (text: string) => void;
  /** Asked before each piece that is sent. */
  readonly pace?: Pace;
  /** The clock; the system's unless a test has another. */
  readonly now?: () => Date;
  /** For tests: shorter waits, smaller parts. */
  readonly limits?: Partial<Limits>;
  readonly partSize?: number;
}

/**
 * The store in a bucket. Sends nothing yet: what is wrong with bucket, region or credentials shows with the first
 * request. Errors: `bad_config` for certificates that can't be read, and what `options.s3` throws.
 */
export async function openS3(bucket: string, options: S3Options = {}): Promise<StorageDriver> {
  const settings = options.s3?.() ?? DEFAULT_S3_SETTINGS;
  const transport = await openTransport(settings, { ...LIMITS, ...options.limits }, options.pace);
  return s3Driver(createStore(bucket, settings, transport, options));
}

/** S3's limits: parts, and bytes of each. */
const SUPPORTS: Supports = { ifAbsent: true, storageClass: true, tags: true, maxSize: MAX_PARTS * 5 * GiB };

function s3Driver(store: S3Store): StorageDriver {
  const driver: StorageDriver = {
    location: store.location,
    supports: SUPPORTS,
    versions: s3Versions(store),
    archive: { thaw: (key, options) => thaw(store, key, options) },
    lifecycle: s3Lifecycle(store),
    presigner: s3Presigner(store),
    put: (key, body, options) => put(store, key, body, options),
    head: (key, { signal }) => head(store, key, { signal }),
    inspect: (key, { signal }) => inspect(store, key, signal),
    get: (key, options) => get(store, key, options),
    list: (prefix, options) => list(store, prefix, options),
    delete: (keys, { signal }) => deleteKeys(store, keys, signal),
    check: (options) => checkBucket(store, driver, options),
    async close() {
      store.transport.destroy();
      return await Promise.resolve();
    },
  };
  return driver;
}

/** Always there: whether the bucket keeps versions is asked where an answer depends on it. */
function s3Versions(store: S3Store): Versions {
  return {
    async keepsDeleted({ signal }) {
      const versioning = await versioningOf(store, signal);
      return versioning === "unknown" ? null : versioning === "on";
    },
    listDeleted: (prefix, options) => listDeleted(store, prefix, options),
    headDeleted: (key, { signal }) => headDeleted(store, key, signal),
    firstRecord: (key, { signal }) => firstRecord(store, key, signal),
    undelete: (keys, { signal }) => undeleteKeys(store, keys, signal),
    purge: (keys, { signal }) => purgeKeys(store, keys, signal),
  };
}

function createStore(bucket: string, settings: S3Settings, transport: Transport, options: S3Options): S3Store {
  const retryStrategy = createRetryStrategy({
    retryForMs: settings.retryForSeconds * 1000,
    movedAt: () => transport.movedAt(),
  });
  const clientFor = (region: string | undefined): S3Client => createClient(settings, region, transport, retryStrategy);
  const isAws = isAwsEndpoint(settings.endpoint);
  let region = settings.region ?? (settings.endpoint === null ? null : FIRST_REGION);
  let client: Promise<S3Client> | null = null;
  let links: S3Client | null = null;
  const now = options.now ?? (() => new Date());

  async function find(): Promise<S3Client> {
    if (region !== null) return clientFor(region);
    const configured = clientFor(undefined);
    region = await configuredRegion(configured);
    if (region !== null) return configured;
    const first = clientFor(FIRST_REGION);
    region = (await askRegion(first, bucket)) ?? FIRST_REGION;
    return region === FIRST_REGION ? first : clientFor(region);
  }

  function current(): Promise<S3Client> {
    client ??= find().catch((error: unknown) => {
      client = null;
      throw error;
    });
    return client;
  }

  return {
    bucket,
    location: `s3://${bucket}`,
    settings,
    isAws,
    transport,
    region: () => region,
    client: current,
    async linkClient() {
      if (client === null && region === null) {
        region = await configuredRegion(clientFor(undefined));
        if (region === null) throw unknownRegion(bucket);
      }
      const { linkEndpoint } = settings;
      if (linkEndpoint === null) return await current();
      await client;
      links ??= createClient({ ...settings, endpoint: linkEndpoint }, region ?? FIRST_REGION, transport, retryStrategy);
      return links;
    },
    moveTo(other) {
      if (settings.region !== null || other === region) return false;
      region = other;
      links = null;
      client = Promise.resolve(clientFor(other));
      return true;
    },
    learnt: {
      bucketExists: false,
      ignoresConditions: false,
      cannotNote: false,
      tags: null,
      clockOffsetMs: 0,
      versioning: null,
    },
    ledger: settings.ledger === null ? null : openLedger(settings.ledger, now),
    partSize: options.partSize ?? BLOCK,
    now,
    warn: options.onWarning ?? (() => undefined),
  };
}

function unknownRegion(bucket: string): TaskflowError {
  return new TaskflowError("bad_config", `the region of ${bucket} is not known, and without a request it can't be`, {
    hint: "set AWS_REGION, or leave --no-check out",
  });
}
