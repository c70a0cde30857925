/** Runs the command line in this process, in a folder of its own, with everything it could touch injected. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { Writable } from "node:stream";
import { afterEach } from "vitest";
import { Ajv } from "ajv";
import { main } from "../../src/cli/main.ts";
import { outputStream } from "../../src/cli/context.ts";
import type { Context } from "../../src/cli/context.ts";
import schema from "../../src/schema/attach-v1.json" with { type: "json" };

export interface RunOptions {
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Terminals: all three streams, or just the ones named. */
  readonly terminal?: boolean | { readonly stdin?: boolean; readonly stdout?: boolean; readonly stderr?: boolean };
  readonly columns?: number;
  readonly now?: Date;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
}

export interface World {
  /** A folder of this test's own; the working directory. */
  readonly cwd: string;
  readonly home: string;
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** As `run` with --json: the document, checked against the schema. */
  json(argv: readonly string[], options?: RunOptions): Promise<{ status: number; document: Document; stderr: string }>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- a document is read member by member in expectations
export type Document = Record<string, any>;

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A fresh world: an empty folder with `.git` beside nothing, so that looking upward ends here. */
export async function createWorld(): Promise<World> {
  const root = await mkdtemp(path.join(tmpdir(), "taskflow-test-"));
  folders.push(root);
  const cwd = path.join(root, "project");
  const home = path.join(root, "home");
  await mkdir(path.join(cwd, ".git"), { recursive: true });
  await mkdir(home);
  const run = (argv: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
    runIn({ cwd, home }, argv, options);
  return {
    cwd,
    home,
    run,
    async json(argv, options) {
      const { status, stdout, stderr } = await run([...argv, "--json"], options);
      const document = JSON.parse(stdout) as Document;
      expectSchema(document);
      return { status, document, stderr };
    },
  };
}

// oxlint-disable-next-line typescript/no-unsafe-assignment -- ajv's types take any JSON
const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema);

/** Fails unless this is a document or an event as the published schema has it. */
export function expectSchema(value: unknown): void {
  if (!validate(value)) throw new Error(`not as the schema says: ${JSON.stringify(validate.errors, null, 1)}`);
}

async function runIn(
  world: { cwd: string; home: string },
  argv: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const stdout = collector(options.columns);
  const stderr = collector(options.columns);
  const { terminal = false } = options;
  const is = (name: "stdin" | "stdout" | "stderr"): boolean =>
    typeof terminal === "boolean" ? terminal : terminal[name] === true;
  Object.assign(stdout.stream, { isTTY: is("stdout") });
  Object.assign(stderr.stream, { isTTY: is("stderr") });
  const ctx: Context = {
    stdin: { isTerminal: is("stdin"), chunks: () => inputChunks(options.stdin) },
    stdout: outputStream(stdout.stream),
    stderr: outputStream(stderr.stream),
    stderrStream: stderr.stream,
    env: { HOME: world.home, NO_COLOR: "1", ...options.env },
    cwd: options.cwd ?? world.cwd,
    home: world.home,
    uid: process.getuid?.() ?? null,
    platform: process.platform,
    loginName: () => "ada",
    now: () => options.now ?? new Date(),
    uuid: randomUUID,
    signal: options.signal ?? new AbortController().signal,
  };
  const status = await main(argv, ctx);
  return { status, stdout: stdout.bytes().toString(), stdoutBytes: stdout.bytes(), stderr: stderr.bytes().toString() };
}

function collector(columns: number | undefined): { stream: Writable; bytes(): Buffer } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  if (columns !== undefined) Object.assign(stream, { columns });
  return { stream, bytes: () => Buffer.concat(chunks) };
}

async function* inputChunks(input: RunOptions["stdin"]): AsyncGenerator<Uint8Array, void, undefined> {
  if (input === undefined) return;
  if (typeof input === "string" || input instanceof Uint8Array) yield Buffer.from(input);
  else yield* input;
}
