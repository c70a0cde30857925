/** A link to what is stored is of no use to its reader once the bytes can't be read. */
import { TaskflowError } from "../errors.ts";
import type { LimitedBy, SignedRequest } from "../storage/presigner.ts";
import type { KeyParts } from "./key.ts";
import type { AttachmentDetails } from "./types.ts";

type Ends = Pick<AttachmentDetails, "archive" | "expires">;

/** Errors: `archived`, where a link would fail for whoever has it. */
export function checkReadable({ task, id, name }: KeyParts, { archive }: Ends): void {
  if (archive === undefined || archive.state === "thawed") return;
  const thawing = archive.state === "thawing";
  throw new TaskflowError(
    "archived",
    thawing ? `${name} is being brought back from the archive` : `${name} is archived: nobody could read it by a link`,
    {
      hint: thawing
        ? `taskflow attach show ${task} ${id} says when it is there`
        : `bring it back first: taskflow attach thaw ${task} ${id}`,
    },
  );
}

/** The link with the earliest of its own end, the thawed copy's and the object's. Not known stays not known. */
export function endingWith(request: SignedRequest, { archive, expires }: Ends): SignedRequest {
  let sooner = request;
  if (archive?.state === "thawed") sooner = endingAt(sooner, archive.until, "thaw");
  if (expires !== undefined) sooner = endingAt(sooner, expires.at, "expiry");
  return sooner;
}

function endingAt(request: SignedRequest, at: Date | null, limitedBy: LimitedBy): SignedRequest {
  const { expiresAt } = request;
  return expiresAt === null || (at !== null && at >= expiresAt) ? request : { ...request, expiresAt: at, limitedBy };
}
