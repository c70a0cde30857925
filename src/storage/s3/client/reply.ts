/** What the SDK doesn't look at in replies: whether they are S3's at all, and when the server says that it answered. */
import type { S3Client } from "@aws-sdk/client-s3";
import { isForeign, isPage, foreignReply } from "../failures/sdk-error.ts";

const DATES = new WeakMap<object, Date>();

/** Their replies have the type of the object. */
const CONTENT: ReadonlySet<string | undefined> = new Set(["GetObjectCommand", "HeadObjectCommand"]);

/** Remembers the Date of each reply of this client, and rejects those of other servers, which the SDK takes for S3's. */
export function keepReplies(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const result = await next(args);
        const { headers = {}, statusCode = 0, body } = Object(result.response) as Partial<RawReply>;
        if (CONTENT.has(commandName) ? isPage(headers) : isForeign(headers)) {
          // An object's is not read by now, and would keep the connection.
          body?.destroy();
          throw foreignReply(statusCode);
        }
        const date = new Date(headers["date"] ?? "");
        if (!Number.isNaN(date.getTime())) DATES.set(Object(result.output) as object, date);
        return result;
      },
    { name: "taskflowKeepReplies", step: "deserialize", priority: "high" },
  );
}

interface RawReply {
  readonly headers: Readonly<Record<string, string>>;
  readonly statusCode: number;
  readonly body: { destroy(): void };
}

/** By the server's clock, in whole seconds; `null` where it didn't tell. */
export function dateOf(output: object): Date | null {
  return DATES.get(output) ?? null;
}
