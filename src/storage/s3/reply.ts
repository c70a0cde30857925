/** What the SDK leaves out of its outputs: when the server says that it answered. */
import type { S3Client } from "@aws-sdk/client-s3";

const DATES = new WeakMap<object, Date>();

/** Remembers the Date of each reply of this client. */
export function keepReplies(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = Object(result.response) as { headers?: Record<string, string> };
      const date = new Date(headers?.["date"] ?? "");
      if (!Number.isNaN(date.getTime())) DATES.set(Object(result.output) as object, date);
      return result;
    },
    { name: "taskflowKeepReplies", step: "deserialize", priority: "high" },
  );
}

/** By the server's clock, in whole seconds; `null` where it didn't tell. */
export function dateOf(output: object): Date | null {
  return DATES.get(output) ?? null;
}
