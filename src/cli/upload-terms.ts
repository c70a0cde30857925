/** What goes for everything that is attached from here, by whichever command: who did it, and what may be attached. */
import type { UploadPolicy } from "../attachments/upload.ts";
import type { Settings } from "../config/resolve.ts";
import { inCi } from "./context.ts";
import type { Context } from "./context.ts";

export interface UploadTerms {
  readonly uploadedBy: string | null;
  readonly policy: UploadPolicy;
}

export function uploadTerms(ctx: Context, settings: Settings): UploadTerms {
  const maxSize = settings.get("max-size");
  const allowedTypes = settings.get("allowed-types");
  return {
    uploadedBy: settings.get("user") ?? actorOf(ctx),
    policy: { ...(maxSize === null ? {} : { maxSize }), ...(allowedTypes === null ? {} : { allowedTypes }) },
  };
}

/** Variables in which CI systems name the person behind a run: GitHub, GitLab, Buildkite, CircleCI, Jenkins. */
const ACTORS = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILDKITE_BUILD_CREATOR", "CIRCLE_USERNAME", "BUILD_USER_ID"];

function actorOf(ctx: Context): string | null {
  const actor = inCi(ctx) ? ACTORS.map((name) => ctx.env[name]).find(Boolean) : undefined;
  return actor ?? ctx.loginName();
}
