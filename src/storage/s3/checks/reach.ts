/** Whether the bucket answers: by that, where it is, and what the server's clock says. */
import { HeadBucketCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { TaskflowError } from "../../../errors.ts";
import { isTaskflowError } from "../../../errors.ts";
import { ok, skip, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import { regionIn } from "../client/region.ts";
import { dateOf } from "../client/reply.ts";
import { explained, request, requestRaw } from "../client/request.ts";
import type { SignalledCall } from "../client/request.ts";
import { headersOf, statusOf } from "../failures/sdk-error.ts";
import type { S3Store } from "../store.ts";

export interface Reach {
  /** How far this machine's clock is ahead of the server's; `null`: no reply told. */
  readonly aheadMs: number | null;
  /** `null`: not told. */
  readonly region: string | null;
  readonly error: TaskflowError | null;
}

/** Rejects with the signal's reason only. */
export async function reach(store: S3Store, signal: AbortSignal): Promise<Reach> {
  const call: SignalledCall = { act: `look for ${store.location}`, action: "s3:ListBucket", signal };
  try {
    const output = await requestRaw(store, call, (client, options) =>
      client.send(new HeadBucketCommand({ Bucket: store.bucket }), options),
    );
    return { aheadMs: ahead(store, dateOf(output)), region: output.BucketRegion ?? store.region(), error: null };
  } catch (raw) {
    const date = new Date(headersOf(raw)["date"] ?? Number.NaN);
    const aheadMs = ahead(store, Number.isNaN(date.getTime()) ? null : date);
    const region = regionIn(raw) ?? store.region();
    // A HEAD has no body that says why.
    const error = statusOf(raw) === 403 ? await whyDenied(store, call) : await explained(store, call, raw);
    return { aheadMs, region, error };
  }
}

/** `null`: a list of the tasks is allowed, and all that is needed. */
async function whyDenied(store: S3Store, call: SignalledCall): Promise<TaskflowError | null> {
  const command = new ListObjectsV2Command({ Bucket: store.bucket, Prefix: "tasks/", MaxKeys: 1 });
  try {
    await request(store, { ...call, act: `list ${store.location}` }, (client, options) =>
      client.send(command, options),
    );
    return null;
  } catch (error) {
    if (isTaskflowError(error) && error.code !== "interrupted") return error;
    throw error;
  }
}

function ahead(store: S3Store, date: Date | null): number | null {
  // The header has whole seconds: half of one is the fairest guess at the rest.
  return date === null ? null : store.now().getTime() - (date.getTime() + 500);
}

const TOLERABLE_MS = 60_000;

export function checkClock({ aheadMs }: Reach): Finding {
  if (aheadMs === null) return skip("no reply of the server told its time");
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (Math.abs(aheadMs) <= TOLERABLE_MS) {
    return ok(seconds <= 1 ? "as the server's" : `${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} the server's`);
  }
  return warn(
    `this machine's clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} the server's`,
    "set it (timedatectl set-ntp true): from 15 minutes on requests are refused",
  );
}

/** Errors: what `reach` met. */
export function checkReachable({ location, settings }: S3Store, { region, error }: Reach): Finding {
  if (error !== null) throw error;
  const where = settings.endpoint === null ? "" : ` at ${settings.endpoint}`;
  return ok(`${location} answers${where}${region === null ? "" : `, in ${region}`}`);
}
