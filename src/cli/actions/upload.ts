import path from "node:path";
import { checkMeta, parseMetas, parseTags } from "../../attachments/meta.ts";
import { openFileSource } from "../../attachments/file-source.ts";
import { openStreamSource } from "../../attachments/source.ts";
import type { Source } from "../../attachments/source.ts";
import { parseTask } from "../../attachments/task.ts";
import { upload } from "../../attachments/upload.ts";
import type { UploadResult } from "../../attachments/upload.ts";
import type { Settings } from "../../config/resolve.ts";
import { TaskflowError, isTaskflowError, throwIfAborted, toTaskflowError } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import { attachmentJson, attachmentTable } from "../attachment-view.ts";
import type { UploadOptions } from "../commands/upload.ts";
import type { Context } from "../context.ts";
import { workInOrder } from "../map-in-order.ts";
import { count, formatSize } from "../output/format.ts";
import { printable } from "../output/printable.ts";
import type { Progress } from "../output/progress.ts";
import type { FailurePlace, View } from "../output/report.ts";
import { runSession } from "../session.ts";
import { uploadTerms } from "../upload-terms.ts";
import { expectInputs, isFolder, leftOutText } from "./upload-inputs.ts";
import type { Input } from "./upload-inputs.ts";
import { askToReplace, namesOnce, notReplaced, replacedText } from "./upload-replace.ts";
import { resumeOf } from "./upload-resume.ts";
import type { ResumeTerms } from "./upload-resume.ts";
import { checkLinkOptions, linkLine, linksOf, wantsLink } from "./upload-link.ts";
import type { LinkTo } from "./upload-link.ts";

interface Row {
  readonly result: UploadResult;
  /** As given; `-` for stdin. */
  readonly source: string;
  /** `null` where none was asked for, or could be made. */
  readonly link: string | null;
  /** What went wrong once it was attached. */
  readonly failure: TaskflowError | null;
}

const FILES_AT_ONCE = 8;

export function runUpload(ctx: Context, operands: readonly string[], options: UploadOptions): Promise<number> {
  const { columns, cells } = attachmentTable({ task: false, details: false, deleted: false });
  const view: View<Row> = {
    json: ({ result, source, link }) => ({
      ...attachmentJson(result.attachment),
      source,
      ...(link === null ? {} : { link }),
      ...(options.replace === true ? { replaced: result.replaced } : {}),
    }),
    line: ({ result: { attachment }, link, failure }) => {
      if (link !== null) return linkLine(attachment, link, options);
      return wantsLink(options) && failure !== null ? null : attachment.key;
    },
    ...(options.dryRun === true ? {} : { done: ({ result }: Row) => result.attachment.key }),
    // A link is to be copied whole, which a table does not promise.
    ...(wantsLink(options) ? {} : { table: { columns, cells: ({ result }) => cells(result.attachment) } }),
  };
  return runSession(ctx, "upload", options, view, async (session) => {
    const { report, settings, openStore } = session;
    checkLinkOptions(options);
    const { task, files } = namedFiles(ctx, operands, options);
    const request = await requestOf(ctx, task, options, await settings());
    // Nothing is made for a command that can do nothing.
    const make = options.dryRun !== true && (await isAnyReadable(ctx, files, options));
    const driver = await openStore(make ? "create" : "pretend");
    const kept =
      options.replace === true && !options.dryRun ? await askToReplace(ctx, driver, task, files, options) : null;
    const linkTo = await linksOf(session, driver, options);
    const progress = report.progress(options.dryRun === true ? "checking" : "attaching");
    const leftOut: string[] = [];
    const inputs = await expectInputs(ctx, files, options, progress, { location: driver.location, leftOut });
    const severalFiles = files.length > 1 || options.recursive === true;
    const names = namesOnce();
    const atOnce = options.concurrency ?? FILES_AT_ONCE;
    const outcomes = workInOrder(
      inputs,
      async (input) => {
        if (options.replace === true) names.take(input.name);
        const resume: ResumeTerms = {
          anew: options.resume === false,
          name: severalFiles ? input.name : null,
          progress,
          note: (text) => void report.note(text),
        };
        return await attach(ctx, driver, request, input, { progress, linkTo, resume });
      },
      { concurrency: atOnce, backpressure: 4 * atOnce, signal: ctx.signal },
    );
    const sum = { files: 0, bytes: 0 };
    let isCut = false;
    try {
      for await (const outcome of outcomes) {
        progress.itemDone();
        if ("error" in outcome) {
          await report.failure(outcome.error, placeOf(outcome.item));
          continue;
        }
        const { result, failure } = outcome.result;
        const { attachment, replaced, supersededBy } = result;
        sum.files += 1;
        sum.bytes += attachment.size;
        await report.item(outcome.result, attachment.size);
        if (replaced.length > 0) await report.note(replacedText(task, replaced, kept, options));
        if (supersededBy !== undefined) {
          await report.warning(`another upload at the same time replaced this one: ${printable(supersededBy)} stays`);
        }
        // After it was told: it is attached all the same.
        if (failure !== null && !isInterrupted(failure)) await report.failure(failure, placeOf(outcome.item));
        isCut ||= failure !== null && isInterrupted(failure);
      }
    } finally {
      progress.stop();
      // Interrupted too: what is attached is told.
      if (sum.files > 0) {
        report.summary(`${summaryText(sum)}${ctx.signal.aborted ? "; the same command would attach them again" : ""}`);
      }
    }
    if (isCut) throwIfAborted(ctx.signal);
    if (leftOut.length > 0) await report.warning(leftOutText(leftOut));
    if (sum.files === 0 && files.length > 0 && !options.dryRun) {
      report.summary(`nothing was attached to ${task} in ${printable(driver.location)}`);
    }
    return options.dryRun === true ? { extra: { dryRun: true } } : undefined;

    function summaryText({ files: attached, bytes }: typeof sum): string {
      const verb = options.dryRun === true ? "would attach" : "attached";
      return `${verb} ${count(attached, "file")} (${formatSize(bytes)}) to ${task} in ${printable(driver.location)}`;
    }
  });
}

function isInterrupted({ code }: TaskflowError): boolean {
  return code === "interrupted";
}

function placeOf({ index, source }: Input): FailurePlace {
  return { index, item: source };
}

function namedFiles(
  ctx: Context,
  operands: readonly string[],
  options: UploadOptions,
): { task: string; files: readonly string[] } {
  if (operands.includes("")) {
    throw new TaskflowError("usage", "an operand is empty", { hint: "is a variable of the script unset?" });
  }
  const [first] = operands;
  const task = parseTask(options.task ?? first ?? "");
  const files = options.task === undefined ? operands.slice(1) : operands;
  if (files.length === 0) {
    throw new TaskflowError("usage", "name the files to attach", { hint: "or - to attach what stdin brings" });
  }
  if (options.name !== undefined && (files.length > 1 || options.recursive === true)) {
    throw new TaskflowError("usage", "--name is for a single file", { hint: null });
  }
  const inputs = files.filter((file) => file === "-");
  if (inputs.length > 1) throw new TaskflowError("usage", "`-` can be read once only", { hint: null });
  if (inputs.length === 1 && ctx.stdin.isTerminal) {
    throw new TaskflowError("usage", "`-` reads stdin, which is a terminal", {
      hint: "pipe something in: make test 2>&1 | taskflow attach upload T-42 - --name test.log",
    });
  }
  return { task, files };
}

type Request = Omit<Parameters<typeof upload>[1], "name" | "source" | "onBytes" | "onRead">;

async function requestOf(ctx: Context, task: string, options: UploadOptions, settings: Settings): Promise<Request> {
  return await Promise.resolve({
    task,
    ...(options.type === undefined ? {} : { type: options.type }),
    note: options.note ?? null,
    meta: checkMeta(parseMetas(options.meta ?? [])),
    tags: parseTags(options.tag ?? []),
    ...(options.storageClass === undefined ? {} : { storageClass: options.storageClass }),
    ...uploadTerms(ctx, settings),
    replace: options.replace === true,
    allowEmpty: options.allowEmpty === true,
    dryRun: options.dryRun === true,
    signal: ctx.signal,
  });
}

/** Whether there is something to attach: where no file can be opened, no store is made for them. */
async function isAnyReadable(ctx: Context, files: readonly string[], { recursive }: UploadOptions): Promise<boolean> {
  for (const file of files) {
    if (file === "-" || (recursive === true && (await isFolder(path.resolve(ctx.cwd, file))))) return true;
    try {
      await (await openFileSource(path.resolve(ctx.cwd, file))).close();
      return true;
    } catch (error) {
      // Told where the file's turn comes.
      if (!isTaskflowError(error)) throw error;
    }
  }
  return false;
}

interface AttachTools {
  readonly progress: Progress;
  /** `null` where no links are asked for. */
  readonly linkTo: LinkTo | null;
  readonly resume: ResumeTerms;
}

async function attach(
  ctx: Context,
  driver: StorageDriver,
  request: Request,
  input: Input,
  { progress, linkTo, resume }: AttachTools,
): Promise<Row> {
  progress.at(input.name);
  const file = path.resolve(ctx.cwd, input.source);
  const source: Source = input.source === "-" ? await openStreamSource(ctx.stdin.chunks()) : await openFileSource(file);
  try {
    const resumed = await resumeOf(file, source, resume);
    const onBytes = (bytes: number): void => progress.advance(bytes);
    const onRead = (bytes: number): void => progress.read(bytes);
    const result = await upload(driver, { ...request, ...resumed, name: input.name, source, onBytes, onRead }, ctx);
    if (linkTo === null) return { result, source: input.source, link: null, failure: notReplaced(result) };
    const linked = await linkTo(result.attachment).then(
      (link) => ({ link, failure: null }),
      (error: unknown) => ({ link: null, failure: toTaskflowError(error) }),
    );
    return { result, source: input.source, link: linked.link, failure: notReplaced(result) ?? linked.failure };
  } finally {
    await source.close();
  }
}
