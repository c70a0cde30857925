/** The faces of an attachment: its JSON item, its line, its row of a table. */
import type { Attachment } from "../attachments/types.ts";
import { formatLocalTime, formatSize, formatUtc } from "./output/format.ts";
import type { JsonObject } from "./output/json-document.ts";
import { tsvField } from "./output/printable.ts";
import type { Column } from "./output/table.ts";

/** What was not read is absent; `null` says that there is none. */
export function attachmentJson(attachment: Attachment): JsonObject {
  const { details } = attachment;
  return {
    id: attachment.id,
    task: attachment.task,
    name: attachment.name,
    key: attachment.key,
    size: attachment.size,
    createdAt: formatUtc(attachment.createdAt),
    storageClass: attachment.storageClass,
    ...(details === undefined
      ? {}
      : {
          type: details.type,
          sha256: details.sha256,
          uploadedBy: details.uploadedBy,
          note: details.note,
          meta: details.meta,
          tags: details.tags,
        }),
    deleted: attachment.deleted,
    ...(attachment.deletedAt === undefined ? {} : { deletedAt: attachment.deletedAt.toISOString() }),
  };
}

/** key, id, size in bytes, time, storage class, name: between tabs, control characters escaped. */
export function attachmentLine(attachment: Attachment): string {
  const { key, id, size, createdAt, storageClass, name } = attachment;
  return `${tsvField(key)}\t${id}\t${size}\t${formatUtc(createdAt)}\t${storageClass}\t${tsvField(name)}`;
}

/** As much of an id as tells two apart for a person; commands take it back. */
export function shortId(attachment: Attachment): string {
  return attachment.id.slice(0, 8);
}

export interface AttachmentTable {
  readonly columns: readonly Column[];
  cells(attachment: Attachment): readonly string[];
}

/** The table of a listing: with the task where it spans several, and more columns with details. */
export function attachmentTable(options: { task: boolean; details: boolean; deleted: boolean }): AttachmentTable {
  type Cell = (attachment: Attachment) => string;
  const parts: [Column, Cell][] = [[{ title: "ID" }, shortId]];
  if (options.task) parts.push([{ title: "TASK" }, ({ task }) => task]);
  parts.push([{ title: "NAME", flexible: true }, ({ name }) => name]);
  parts.push([{ title: "SIZE", align: "right", dropOrder: 1 }, ({ size }) => formatSize(size)]);
  if (options.details) {
    parts.push([{ title: "TYPE", dropOrder: 3 }, ({ details }) => details?.type ?? ""]);
    parts.push([{ title: "BY", dropOrder: 4 }, ({ details }) => details?.uploadedBy ?? ""]);
  }
  parts.push(
    options.deleted
      ? [{ title: "DELETED", dropOrder: 2 }, ({ deletedAt }) => (deletedAt ? formatLocalTime(deletedAt) : "")]
      : [{ title: "ATTACHED", dropOrder: 2 }, ({ createdAt }) => formatLocalTime(createdAt)],
  );
  parts.push([{ title: "CLASS", dropOrder: 5 }, ({ storageClass }) => storageClass]);
  if (options.details) parts.push([{ title: "NOTE", dropOrder: 6 }, ({ details }) => details?.note ?? ""]);
  return {
    columns: parts.map(([column]) => column),
    cells: (attachment) => parts.map(([, cell]) => cell(attachment)),
  };
}
