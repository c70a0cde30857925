/** The kinds of store. The only module that names their folders, and only by dynamic imports. */
import type { StorageDriver } from "./driver.ts";
import type { Location } from "./location.ts";
import type { Pace } from "./pace.ts";
import type { LinkSettings } from "./presigner.ts";
import type { S3Settings } from "./s3-settings.ts";

/** What a driver may want to know when it is opened. */
export interface DriverOptions {
  /** Make the store where there is none. Buckets are never made. */
  readonly create: boolean;
  /** Called once, and only by the one that made the store, with its absolute path. */
  readonly onCreated?: (root: string) => void;
  /** What a person should hear, though it works. */
  readonly onWarning?: (text: string) => void;
  /** Who runs this; another owner of the folder is worth a warning. */
  readonly uid?: number;
  /** What signs a folder's links; asked for when the first one is signed. Absent: this store signs none. */
  readonly links?: () => LinkSettings;
  /** How a bucket is reached; asked for when it is opened. Absent: AWS, with whatever the SDK finds. */
  readonly s3?: () => S3Settings;
  /** Holds transfers back; a driver that sends in its own time asks it before each piece. */
  readonly pace?: Pace;
  /** The clock; the system's unless a test has another. */
  readonly now?: () => Date;
}

/** The driver itself, unwrapped: `openDriver` is what everybody else calls. */
export function loadDriver(location: Location, options: DriverOptions): Promise<StorageDriver> {
  return location.kind === "folder" ? DRIVERS.folder(location, options) : DRIVERS.s3(location, options);
}

type Load<Kind extends Location["kind"]> = (
  location: Extract<Location, { kind: Kind }>,
  options: DriverOptions,
) => Promise<StorageDriver>;

const DRIVERS: { readonly [Kind in Location["kind"]]: Load<Kind> } = {
  async folder({ path }, options) {
    const { openFolder } = await import("./fs/driver.ts");
    return await openFolder(path, options);
  },
  async s3({ bucket }, options) {
    const { openS3 } = await import("./s3/driver.ts");
    return await openS3(bucket, options);
  },
};
