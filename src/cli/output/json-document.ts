/**
 * The two JSON forms. A document is written as it becomes known (items first, what is known last comes last), so that
 * a listing of any length streams; `src/schema/attach-v1.json` describes both.
 */
import type { TaskflowError } from "../../errors.ts";
import type { Write } from "./gather.ts";

export const SCHEMA = "taskflow.attach/v1";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface ErrorEntry {
  readonly error: Pick<TaskflowError, "code" | "exit" | "message" | "hint" | "requestId">;
  /** Position among the operands, from 0. */
  readonly index: number | null;
  readonly item: string | null;
}

export type Summary = {
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly bytes: number;
  /** Some commands count further things. */
  readonly [name: string]: number;
};

/** What is known at the end. */
export interface Ending {
  readonly errors: readonly ErrorEntry[];
  readonly warnings: readonly string[];
  /** The value for `--after` where a list was cut. */
  readonly next: string | null;
  /** Further members of the document, by command. */
  readonly extra: JsonObject;
  readonly summary: Summary;
  readonly ok: boolean;
}

export interface JsonWriter {
  item(item: JsonObject): Promise<void>;
  /** Only in the form with events; a document has them at the end. */
  error(entry: ErrorEntry): Promise<void>;
  warning(text: string): Promise<void>;
  progress(data: JsonObject): Promise<void>;
  end(ending: Ending): Promise<void>;
}

/** `member`: what the rows are called where they are no items. */
export function documentWriter(write: Write, command: string, store: () => string | null, member?: string): JsonWriter {
  let items = 0;
  const open = async (): Promise<void> => {
    const head = JSON.stringify({ schema: SCHEMA, command, store: store() });
    await write(`${head.slice(0, -1)},"items":[${member === undefined ? "" : `],"${member}":[`}`);
  };
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    error: nothing,
    warning: nothing,
    progress: nothing,
    async item(item) {
      if (items === 0) await open();
      items += 1;
      await write(`${items === 1 ? "" : ","}\n${JSON.stringify(item)}`);
    },
    async end(ending) {
      if (items === 0) await open();
      const { errors, warnings, next, extra, summary, ok } = ending;
      await write(`${items === 0 ? "" : "\n"}],"errors":[`);
      // One by one: of a whole store they may be more than a string can hold.
      for (const [n, entry] of errors.entries())
        await write(`${n === 0 ? "" : ","}${JSON.stringify(errorJson(entry))}`);
      await write(`],${JSON.stringify({ warnings, next, ...extra, summary, ok }).slice(1)}\n`);
    },
  };
}

export function eventWriter(write: Write, command: string, store: () => string | null): JsonWriter {
  const emit = (event: string, data: JsonObject): Promise<void> => write(`${JSON.stringify({ event, ...data })}\n`);
  return {
    item: (item) => emit("item", { item }),
    error: (entry) => emit("error", { error: errorJson(entry) }),
    warning: (text) => emit("warning", { message: text }),
    progress: (data) => emit("progress", data),
    end: ({ next, extra, summary, ok }) =>
      emit("summary", { schema: SCHEMA, command, store: store(), next, ...extra, summary, ok }),
  };
}

function errorJson({ error, index, item }: ErrorEntry): JsonObject {
  return {
    code: error.code,
    exit: error.exit,
    index,
    item,
    message: error.message,
    hint: error.hint,
    requestId: error.requestId,
  };
}
