/** The one place that makes the SDK's client. */
import { readFile } from "node:fs/promises";
import tls from "node:tls";
import { S3Client } from "@aws-sdk/client-s3";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { TaskflowError } from "../../../errors.ts";
import type { S3Credentials, S3Settings } from "../../s3-settings.ts";
import type { Pace } from "../../pace.ts";
import { keepReplies } from "./reply.ts";
import { MAX_ATTEMPTS } from "./retry.ts";
import type { RetryStrategy } from "./retry.ts";
import { createTransport } from "./transport.ts";
import type { Transport } from "./transport.ts";
import type { Limits } from "./watchdog.ts";

/** Whether AWS itself answers there: S3, its VPC endpoints, China. */
export function isAwsEndpoint(endpoint: string | null): boolean {
  return endpoint === null || /(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(new URL(endpoint).hostname);
}

/** Errors: `bad_config` for certificates that can't be read. */
export async function openTransport({ caFile }: S3Settings, limits: Limits, pace?: Pace): Promise<Transport> {
  const certificates = caFile === null ? null : [...trusted(), await readCertificates(caFile)];
  return createTransport(limits, certificates, pace ?? null);
}

/** `region` absent: the profile's or the environment's, as the SDK has it. */
export function createClient(
  settings: S3Settings,
  region: string | undefined,
  transport: Transport,
  retryStrategy: RetryStrategy,
): S3Client {
  const { endpoint, credentials } = settings;
  const client = new S3Client({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    ...credentialsConfig(credentials),
    requestHandler: { ...transport },
    retryStrategy,
    // Said in a header, and otherwise read from the environment; the strategy decides.
    maxAttempts: MAX_ATTEMPTS,
    // Checksums are ours: given where AWS takes them. The SDK's own would go as a trailer, or be refused elsewhere.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // Each part would open a connection of its own; the transport asks where that pays.
    expectContinueHeader: false,
    // Not followed blindly: a region that is named wrong is worth an error that says so.
    followRegionRedirects: false,
    logger: SILENT,
  });
  keepReplies(client);
  return client;
}

/** stderr is the command line's. */
const SILENT: NonNullable<S3ClientConfig["logger"]> = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

function credentialsConfig(credentials: S3Credentials): Pick<S3ClientConfig, "credentials" | "profile"> {
  if (credentials.kind === "chain") return {};
  if (credentials.kind === "keys") {
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = credentials;
    return {
      credentials: {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === null ? {} : { sessionToken }),
        ...(expiresAt === null ? {} : { expiration: expiresAt }),
      },
    };
  }
  return {
    profile: credentials.profile,
    // Not the SDK's chain: where the profile doesn't exist that goes on to whatever the machine has.
    async credentials(properties) {
      const { fromIni } = await import("@aws-sdk/credential-provider-ini");
      return await fromIni({ profile: credentials.profile, logger: SILENT })(properties);
    },
  };
}

/** What Node trusts without being told: its own list, NODE_EXTRA_CA_CERTS and, with an option, the system's. */
function trusted(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: "default") => string[] };
  return getCACertificates?.("default") ?? tls.rootCertificates;
}

async function readCertificates(file: string): Promise<string> {
  const fail = (why: string, cause?: unknown): TaskflowError =>
    new TaskflowError("bad_config", `cannot read the certificates in ${file}: ${why}`, {
      hint: "name a PEM file with --ca-file or AWS_CA_BUNDLE",
      ...(cause === undefined ? {} : { cause }),
    });
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw fail(error instanceof Error ? error.message : String(error), error);
  }
  if (!text.includes("-----BEGIN CERTIFICATE-----")) throw fail("there are none in it");
  return text;
}
