import { DEFAULT_EXPIRES_SECONDS, linkToDownload, linkToUpload } from "../../attachments/presign.ts";
import type { Link } from "../../attachments/presign.ts";
import { cleanName } from "../../attachments/name.ts";
import { isSafeToShow } from "../../attachments/served-type.ts";
import { parseTask } from "../../attachments/task.ts";
import { detailedAttachmentOf } from "../../attachments/types.ts";
import type { Attachment } from "../../attachments/types.ts";
import { TaskflowError } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { PresignOptions } from "../commands/presign.ts";
import type { Context } from "../context.ts";
import { curlLine, earlyEndText, headersText, linkJson } from "../link-view.ts";
import { printable } from "../output/printable.ts";
import type { Report, View } from "../output/report.ts";
import { runSession } from "../session.ts";
import type { Session } from "../session.ts";
import { uploadTerms } from "../upload-terms.ts";
import { attempt, checkOperands, liveItems, selectAttachments } from "./items.ts";
import type { Selection } from "./items.ts";
import { getLinksReady } from "./links-ready.ts";
import { spelledKeys } from "./spelled-keys.ts";

export function runPresign(ctx: Context, operands: readonly string[], options: PresignOptions): Promise<number> {
  const view: View<Link> = {
    json: linkJson,
    // Of a form the URL alone is of no use.
    line: (link) =>
      options.curl === true || link.request.method === "POST" ? printable(curlLine(link)) : link.request.url,
  };
  return runSession(ctx, "presign", options, view, async (session) => {
    checkOptions(options);
    if (options.put === true || options.post === true) return await signUpload(session, operands, options);
    const selection = liveItems(options.task);
    checkOperands(ctx, operands, selection);
    if (options.filename !== undefined) cleanName(options.filename);
    const driver = await session.openStore();
    return options.check === false
      ? await signUnchecked(session, driver, operands, selection, options)
      : await signChecked(session, driver, operands, selection, options);
  });
}

/** Options of the other kind of link would be ignored, and nobody would know. */
function checkOptions(options: PresignOptions): void {
  const forDownloads = { "--inline": options.inline, "--filename": options.filename, "--no-check": options.check };
  const { type, size, maxSize, sha256 } = options;
  const forUploads = { "--type": type, "--size": size, "--max-size": maxSize, "--sha256": sha256 };
  const isUpload = options.put === true || options.post === true;
  const [wrong] = Object.entries(isUpload ? forDownloads : forUploads).find(([, given]) => given !== undefined) ?? [];
  if (wrong !== undefined) {
    const kinds = isUpload ? "links to download" : "links to upload: add --put";
    throw new TaskflowError("usage", `${wrong} is for ${kinds}`, { hint: null });
  }
  if (options.put === true && options.post === true) {
    throw new TaskflowError("usage", "--put and --post are two kinds of link", { hint: "leave one out" });
  }
  if (size !== undefined && maxSize !== undefined) {
    throw new TaskflowError("usage", "--size is exact, so --max-size says nothing", { hint: "leave one out" });
  }
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new TaskflowError("usage", `--sha256 ${JSON.stringify(sha256)}: not 64 hex digits`, {
      hint: "sha256sum FILE prints it",
    });
  }
}

async function signChecked(
  session: Session<Link>,
  driver: StorageDriver,
  operands: readonly string[],
  selection: Selection,
  options: PresignOptions,
): Promise<undefined> {
  const { ctx, report } = session;
  await getLinksReady(session, driver, options);
  for await (const { attachment, index, text } of selectAttachments(ctx, driver, report, operands, selection)) {
    const link = await attempt(report, { index, text }, async () => {
      const detailed = await withDetails(ctx, driver, attachment);
      const type = detailed.details?.type ?? null;
      if (options.inline === true && !isSafeToShow(type)) {
        await report.note(
          `${printable(detailed.name)} will be saved, not shown: ${type ?? "no type"} can hold scripts`,
        );
      }
      return await downloadLink(ctx, driver, detailed, options);
    });
    if (link !== null) await print(report, link);
  }
  return undefined;
}

/** The link, and what its receiver ought to know. */
async function print(report: Report<Link>, link: Link): Promise<void> {
  await report.item(link);
  const early = earlyEndText(link);
  if (early !== null) await report.warning(printable(early));
}

/** Sends no request, to the store or to `serve`. */
async function signUnchecked(
  { ctx, report }: Session<Link>,
  driver: StorageDriver,
  operands: readonly string[],
  selection: Selection,
  options: PresignOptions,
): Promise<undefined> {
  for await (const { key, name, index, text } of spelledKeys(ctx, driver, report, operands, selection)) {
    const link = await attempt(report, { index, text }, () => downloadLink(ctx, driver, { key, name }, options));
    if (link !== null) await print(report, link);
  }
  if (driver.presigner?.gate === undefined) {
    await report.note("nothing was asked: whether it is there isn't known, and the end is by this machine's clock");
  }
  return undefined;
}

async function downloadLink(
  ctx: Context,
  driver: StorageDriver,
  { key, name, details }: Pick<Attachment, "key" | "name" | "details">,
  options: PresignOptions,
): Promise<Link> {
  const link = await linkToDownload(driver, key, {
    expiresSeconds: options.expires ?? DEFAULT_EXPIRES_SECONDS,
    name: options.filename ?? name,
    inline: options.inline === true,
    details,
    signal: ctx.signal,
  });
  return exactly(link, options);
}

async function signUpload(
  session: Session<Link>,
  operands: readonly string[],
  options: PresignOptions,
): Promise<undefined> {
  const { ctx, report, settings, openStore } = session;
  const { task, name } = uploadOperands(operands, options);
  const { policy } = uploadTerms(ctx, await settings());
  const driver = await openStore();
  await getLinksReady(session, driver, options);
  const link = await linkToUpload(
    driver,
    {
      method: options.post === true ? "POST" : "PUT",
      task,
      name,
      expiresSeconds: options.expires ?? DEFAULT_EXPIRES_SECONDS,
      ...(options.type === undefined ? {} : { type: options.type }),
      ...(options.size === undefined ? {} : { size: options.size }),
      ...(options.maxSize === undefined ? {} : { maxSize: options.maxSize }),
      ...(options.sha256 === undefined ? {} : { sha256: options.sha256.toLowerCase() }),
      policy,
      signal: ctx.signal,
    },
    ctx,
  );
  await print(report, exactly(link, options));
  await sayHowToUpload(report, link, options);
  return undefined;
}

async function sayHowToUpload(report: Report<Link>, { request }: Link, options: PresignOptions): Promise<void> {
  const headers = headersText(request);
  if (request.method === "POST") {
    await report.note("whoever has the form may send it again until it ends: what is attached is replaced then");
  } else if (headers !== null && options.curl !== true) {
    await report.note(printable(`to be sent with the file: ${headers}`));
  }
}

function uploadOperands(operands: readonly string[], options: PresignOptions): { task: string; name: string } {
  const words = options.task === undefined ? operands : [options.task, ...operands];
  const [task = "", name = "", ...more] = words;
  if (words.includes("")) {
    throw new TaskflowError("usage", "an operand is empty", { hint: "is a variable of the script unset?" });
  }
  if (name === "" || more.length > 0) {
    throw new TaskflowError("usage", "a link to upload with takes TASK and NAME", {
      hint: "taskflow attach presign --put T-42 photo.jpg",
    });
  }
  cleanName(name);
  return { task: parseTask(task), name };
}

async function withDetails(ctx: Context, driver: StorageDriver, attachment: Attachment): Promise<Attachment> {
  if (attachment.details !== undefined) return attachment;
  return detailedAttachmentOf(await driver.head(attachment.key, { signal: ctx.signal })) ?? attachment;
}

function exactly(link: Link, options: PresignOptions): Link {
  const early = options.exact === true ? earlyEndText(link) : null;
  if (early === null) return link;
  throw new TaskflowError("not_confirmed", `${early}: not when it was asked to`, {
    hint: "leave out --exact to take it as it is",
  });
}
