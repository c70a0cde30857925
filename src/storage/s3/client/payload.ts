/** What a request's signature says of its body. */
import type { PutObjectCommand, UploadPartCommand } from "@aws-sdk/client-s3";

/** Only TLS and a checksum vouch for the body then. */
export const UNSIGNED = "UNSIGNED-PAYLOAD";

const HEADER = "x-amz-content-sha256";

/** The command, with the SHA-256 that is known already (hex) or `UNSIGNED`: the SDK would hash the body again otherwise. */
export function withPayloadHash<Command extends PutObjectCommand | UploadPartCommand>(
  command: Command,
  hash: string,
): Command {
  const stack = command.middlewareStack as PutObjectCommand["middlewareStack"];
  stack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers[HEADER] = hash;
      return next(args);
    },
    { step: "build", name: "taskflowPayloadHash" },
  );
  return command;
}
