/** Runs the command line in this process, in a folder of its own, with everything it could touch injected. */
import { randomUUID } from "node:crypto";
import { statfsSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable, Writable } from "node:stream";
import { Ajv } from "ajv";
import { afterEach, expect } from "vitest";
import { inputChunks, outputStream } from "../../src/cli/streams.ts";
import type { Context } from "../../src/cli/context.ts";
import { main } from "../../src/cli/main.ts";
import schema from "../../src/schema/attach-v1.json" with { type: "json" };

export interface RunOptions {
  /** Absent: reading it fails the test, for stdin is never read without `-`. */
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Terminals: all three streams, or just the ones named. */
  readonly terminal?: boolean | { readonly stdin?: boolean; readonly stdout?: boolean; readonly stderr?: boolean };
  readonly columns?: number;
  readonly now?: Date;
  readonly signal?: AbortSignal;
  /** Called for each new id, once a file is open and before its bytes are read. */
  readonly uuid?: () => string;
  /** Fails every write to stdout with this code, after so many bytes. */
  readonly stdoutFails?: { readonly code: string; readonly after?: number };
  readonly loginName?: string | null;
  readonly nodeVersion?: string;
}

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
  /** stdout's, without their ends. */
  readonly lines: readonly string[];
}

export interface World {
  /** A folder of this test's own; the working directory. */
  readonly cwd: string;
  readonly home: string;
  /** Where the store is made unless a test names another. */
  readonly store: string;
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** As `run` with --json: the document, checked against the schema. */
  json(argv: readonly string[], options?: RunOptions): Promise<JsonResult>;
  /** As `run` with --ndjson: the events, each checked against the schema, the summary last. */
  ndjson(argv: readonly string[], options?: RunOptions): Promise<NdjsonResult>;
  /** Writes a file below `cwd`, with the folders above it; its absolute path. */
  write(name: string, content?: string | Uint8Array): Promise<string>;
  /** Attaches these bytes under a name and gives the key. */
  attach(task: string, name: string, content?: string | Uint8Array, ...options: string[]): Promise<string>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- a document is read member by member in expectations
export type Document = Record<string, any>;

/** What every item of the documents on attachments has; the rest by its name. */
export interface Item {
  readonly key: string;
  readonly name: string;
  readonly [member: string]: unknown;
}

export function itemsOf(document: Document): readonly Item[] {
  return document["items"] as readonly Item[];
}

/** The first item; fails where there is none. */
export function firstOf(document: Document): Item {
  const [item] = itemsOf(document);
  if (item === undefined) throw new Error("the document has no item");
  return item;
}

export interface JsonResult {
  readonly status: number;
  readonly document: Document;
  readonly stderr: string;
}

export interface NdjsonResult {
  readonly status: number;
  readonly events: readonly Document[];
  readonly stderr: string;
}

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A fresh world: an empty folder with `.git` beside nothing, so that looking upward ends here. `env` is for every run. */
export async function createWorld(env: RunOptions["env"] = {}): Promise<World> {
  const root = await realpath(await mkdtemp(path.join(temporary(), "taskflow-test-")));
  folders.push(root);
  const cwd = path.join(root, "project");
  const home = path.join(root, "home");
  await mkdir(path.join(cwd, ".git"), { recursive: true });
  await mkdir(home);
  const run = (argv: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
    runIn({ cwd, home }, argv, { ...options, env: { ...env, ...options.env } });
  return {
    cwd,
    home,
    store: path.join(cwd, "uploads"),
    run,
    async json(argv, options) {
      const { status, stdout, stderr } = await run(withOption(argv, "--json"), options);
      const document = JSON.parse(stdout) as Document;
      expectSchema(document);
      expect(document["ok"]).toBe(status === 0);
      return { status, document, stderr };
    },
    async ndjson(argv, options) {
      const { status, lines, stderr } = await run(withOption(argv, "--ndjson"), options);
      const events = lines.map((line) => JSON.parse(line) as Document);
      for (const event of events) expectSchema(event);
      expect(events.filter(({ event }) => event === "summary")).toEqual([events.at(-1)]);
      expect(events.at(-1)).toMatchObject({ ok: status === 0 });
      return { status, events, stderr };
    },
    async write(name, content = name) {
      const file = path.join(cwd, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content);
      return file;
    },
    async attach(task, name, content = `content of ${name}`, ...options) {
      const argv = ["attach", "upload", "--task", task, `--name=${name}`, "--allow-empty", ...options, "-"];
      const { status, stdout, stderr } = await run(argv, { stdin: content });
      expect({ status, stderr }).toMatchObject({ status: 0 });
      return stdout.trimEnd();
    },
  };
}

/** In memory where there is plenty: what is synced there costs nothing, and is tested on disks elsewhere. */
function temporary(): string {
  if (process.env["TMPDIR"] !== undefined) return tmpdir();
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize > 1024 ** 3 ? "/dev/shm" : tmpdir();
  } catch {
    // Not on this system.
    return tmpdir();
  }
}

// oxlint-disable-next-line typescript/no-unsafe-assignment -- ajv's types take any JSON
const validate = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true }).compile(
  schema,
);

/** Fails unless this is a document or an event as the published schema has it. */
export function expectSchema(value: unknown): void {
  if (!validate(value)) throw new Error(`not as the schema says: ${JSON.stringify(validate.errors, null, 1)}`);
}

async function runIn(
  world: { cwd: string; home: string },
  argv: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const { terminal = false, env = {} } = options;
  const is = (name: "stdin" | "stdout" | "stderr"): boolean =>
    typeof terminal === "boolean" ? terminal : terminal[name] === true;
  const stdout = collector(is("stdout"), options.columns, options.stdoutFails);
  const stderr = collector(is("stderr"), options.columns);
  const signal = options.signal ?? new AbortController().signal;
  const ctx: Context = {
    stdin: { isTerminal: is("stdin"), chunks: () => inputChunks(inputStream(options.stdin), signal) },
    stdout: outputStream(stdout.stream),
    stderr: outputStream(stderr.stream),
    stderrStream: stderr.stream,
    env: { HOME: world.home, NO_COLOR: "1", ...env },
    cwd: options.cwd ?? world.cwd,
    home: world.home,
    uid: process.getuid?.() ?? null,
    platform: process.platform,
    nodeVersion: options.nodeVersion ?? process.versions.node,
    loginName: () => (options.loginName === undefined ? "ada" : options.loginName),
    now: () => options.now ?? new Date(),
    uuid: options.uuid ?? randomUUID,
    self: () => ({ host: "here", boot: "first", pid: process.pid }),
    isAlive: () => true,
    signal,
    takeSignals: () => undefined,
  };
  const status = await main(argv, ctx);
  const [out, err] = [stdout.bytes(), stderr.bytes()];
  // Of every run of every test: nothing but text off a terminal, and no stack trace unless it was asked for.
  const forced = env["FORCE_COLOR"] !== undefined;
  if (!is("stderr") && !forced && err.includes(ESC)) throw new Error(`ESC on stderr of ${argv.join(" ")}`);
  if (!argv.includes("--debug") && /\n {4}at \S/.test(err.toString())) throw new Error(`a stack trace: ${String(err)}`);
  return { status, stdout: out.toString(), stdoutBytes: out, stderr: err.toString(), lines: linesOf(out.toString()) };
}

/** A text that holds or matches this, as a member of an expected object. */
export function matching(pattern: string | RegExp): unknown {
  return typeof pattern === "string" ? expect.stringContaining(pattern) : expect.stringMatching(pattern);
}

/** Comes back in a later millisecond of the clock, so that two times differ. */
export async function nextMillisecond(): Promise<void> {
  const begun = Date.now();
  while (Date.now() === begun) await new Promise((resolve) => setImmediate(resolve));
}

/** Before a `--`, which ends options. */
function withOption(argv: readonly string[], option: string): readonly string[] {
  return argv.includes("--") ? argv.toSpliced(argv.indexOf("--"), 0, option) : [...argv, option];
}

const ESC = 0x1b;

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

function collector(
  isTTY: boolean,
  columns: number | undefined,
  fails?: RunOptions["stdoutFails"],
): { stream: Writable; bytes(): Buffer } {
  const chunks: Buffer[] = [];
  let taken = 0;
  const stream = new Writable({
    // A stream that failed once fails again, as a descriptor does.
    autoDestroy: false,
    write(chunk: Buffer, _encoding, done) {
      if (fails !== undefined && taken >= (fails.after ?? 0)) {
        done(Object.assign(new Error(`${fails.code}: injected`), { code: fails.code }));
        return;
      }
      taken += chunk.length;
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  Object.assign(stream, { isTTY }, columns === undefined ? {} : { columns });
  return { stream, bytes: () => Buffer.concat(chunks) };
}

function inputStream(input: RunOptions["stdin"]): Readable {
  if (input === undefined) throw new Error("stdin was read without being asked for");
  if (typeof input === "string") return Readable.from(input === "" ? [] : [Buffer.from(input)]);
  return Readable.from(input instanceof Uint8Array ? (input.length === 0 ? [] : [Buffer.from(input)]) : input);
}
