/** One setting of the bucket, asked for: what it says, or why that isn't known. */
import type { S3Client } from "@aws-sdk/client-s3";
import { skip } from "../../check.ts";
import type { Finding } from "../../check.ts";
import { explained, requestRaw } from "../client/request.ts";
import { isNamed } from "../failures/sdk-error.ts";
import type { S3Store } from "../store.ts";

/** `missing`: the bucket has none. `unknown`: it may not be read, or this store has no such thing. */
export type Asked<T> =
  | { readonly is: "there"; readonly value: T }
  | { readonly is: "missing" }
  | { readonly is: "unknown"; readonly finding: Finding };

export interface Question {
  /** `the encryption`. */
  readonly what: string;
  /** The permission that it takes. */
  readonly action: string;
  /** What S3 says where the bucket has none. */
  readonly missing: string;
  readonly signal: AbortSignal;
}

/** What of the reply is the setting. */
type Read<T> = (client: S3Client, options: { readonly abortSignal: AbortSignal }) => Promise<T | undefined>;

/** Errors: those of the network, and others that have nothing to do with the setting. */
export async function ask<T>(
  store: S3Store,
  { what, action, missing, signal }: Question,
  read: Read<T>,
): Promise<Asked<T>> {
  const call = { act: `read ${what} of ${store.location}`, action, signal };
  const notTold = { is: "unknown", finding: skip(`this store doesn't tell ${what}`) } as const;
  try {
    const value = await requestRaw(store, call, read);
    // A server that doesn't know the question may answer another one.
    return value === undefined ? notTold : { is: "there", value };
  } catch (raw) {
    if (isNamed(raw, missing)) return { is: "missing" };
    const error = await explained(store, call, raw);
    if (error.code === "access_denied") {
      return { is: "unknown", finding: skip(`${what} may not be read`, `it takes ${action}`) };
    }
    if (error.code === "unsupported" || error.code === "not_found") return notTold;
    throw error;
  }
}

/** The judgement on what `ask` finds; `null`: the bucket has none. */
export async function judged<T>(
  store: S3Store,
  question: Question,
  read: Read<T>,
  judge: (value: T | null) => Finding,
): Promise<Finding> {
  const asked = await ask(store, question, read);
  return asked.is === "unknown" ? asked.finding : judge(asked.is === "there" ? asked.value : null);
}

/** A line for the AWS CLI that changes this bucket, on its server and by the same profile. */
export function awsLine({ bucket, settings: { endpoint, credentials } }: S3Store, words: string): string {
  const where = endpoint === null ? "" : ` --endpoint-url ${endpoint}`;
  const who = credentials.kind === "profile" ? ` --profile ${credentials.profile}` : "";
  const [operation = "", ...rest] = words.split(" ");
  return `aws s3api ${[operation, "--bucket", bucket, ...rest].join(" ")}${where}${who}`;
}
