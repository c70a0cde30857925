/** A folder with its server, each with whatever a test wants to be otherwise; and sockets that say whatever they like. */
import { mkdtemp, rm, readdir } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { randomUUID } from "node:crypto";
import { afterEach } from "vitest";
import { dispositionOf } from "../../src/attachments/presign.ts";
import type { UploadPolicy } from "../../src/attachments/upload.ts";
import { healthRoute } from "../../src/server/health.ts";
import { LIMITS } from "../../src/server/limits.ts";
import type { Limits } from "../../src/server/limits.ts";
import { linkRoute } from "../../src/server/links.ts";
import { startServer } from "../../src/server/server.ts";
import type { LogEntry, RunningServer } from "../../src/server/server.ts";
import type { Body, StorageDriver } from "../../src/storage/driver.ts";
import { openDriver } from "../../src/storage/open.ts";
import type { LinkGate, PresignPutOptions, Presigner } from "../../src/storage/presigner.ts";

export interface SiteOptions {
  readonly limits?: Partial<Limits>;
  readonly cors?: readonly string[];
  readonly policy?: UploadPolicy;
  readonly baseUrl?: string;
  /** The driver as the server gets it. */
  readonly wrap?: (driver: StorageDriver) => StorageDriver;
}

export interface Site {
  readonly root: string;
  readonly keyFile: string;
  readonly driver: StorageDriver;
  readonly presigner: Presigner & { readonly gate: LinkGate };
  readonly server: RunningServer;
  readonly log: readonly LogEntry[];
  /** What the clock of links and server says. */
  now: Date;
  /** Stores a file and gives its key. */
  attach(name: string, bytes: string | Uint8Array, type?: string): Promise<string>;
  /** The path of a link: what goes into the request line. */
  getLink(key: string, options?: { inline?: boolean; name?: string; expiresSeconds?: number }): Promise<string>;
  putLink(options?: Partial<PresignPutOptions> & { readonly key?: string }): Promise<{ key: string; target: string }>;
  /** Files of uploads that are under way or were left behind. */
  parts(): Promise<readonly string[]>;
}

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

export const never = new AbortController().signal;

export async function openSite(options: SiteOptions = {}): Promise<Site> {
  const scratch = await mkdtemp(path.join(tmpdir(), "taskflow-serve-"));
  cleanups.push(() => rm(scratch, { recursive: true, force: true }));
  const root = path.join(scratch, "store");
  const keyFile = path.join(scratch, "config", "url-key");
  const baseUrl = options.baseUrl ?? "http://files.example.com";
  const clock = { now: new Date() };
  const driver = await openDriver(
    { kind: "folder", path: root },
    { create: true, links: () => ({ baseUrl, keyFile, uid: process.getuid?.() ?? null, now: () => clock.now }) },
  );
  const { presigner } = driver;
  if (presigner?.gate === undefined) throw new Error("a folder signs its links");
  const { gate } = presigner;
  await gate.open();
  const limits = { ...LIMITS, lingerMs: 300, drainMs: 300, ...options.limits };
  const log: LogEntry[] = [];
  const surroundings = {
    driver: options.wrap?.(driver) ?? driver,
    gate,
    policy: options.policy ?? {},
    limits,
    cors: options.cors ?? [],
    now: () => clock.now,
  };
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    baseUrl,
    limits,
    routes: [linkRoute(surroundings), healthRoute(gate, limits)],
    log: (entry) => log.push(entry),
  });
  cleanups.push(() => server.close());
  const targetOf = (url: string): string => url.slice(baseUrl.length);
  return {
    root,
    keyFile,
    driver,
    presigner: { ...presigner, gate },
    server,
    log,
    get now() {
      return clock.now;
    },
    set now(date) {
      clock.now = date;
    },
    async attach(name, bytes, type = "text/plain") {
      const key = `tasks/T-1/${randomUUID()}_${name}`;
      const record = { name, createdAt: clock.now, uploadedBy: null, note: null, meta: {} };
      await driver.put(key, bodyOf(bytes), { record, type, ifAbsent: true, signal: never });
      return key;
    },
    async getLink(key, { inline = false, name = "file.txt", expiresSeconds = 60 } = {}) {
      const disposition = dispositionOf(name, inline ? "inline" : "attachment");
      return targetOf((await presigner.get(key, { expiresSeconds, disposition, signal: never })).url);
    },
    async putLink({ key = `tasks/T-1/${randomUUID()}_up.bin`, ...wanted } = {}) {
      const any = { type: null, size: null, maxSize: null, sha256: null };
      const put = { name: "up.bin", expiresSeconds: 60, signal: never, ...any, ...wanted };
      return { key, target: targetOf((await presigner.put(key, put)).url) };
    },
    parts: () => readdir(path.join(root, ".taskflow", "tmp")),
  };
}

function bodyOf(content: string | Uint8Array): Body {
  const bytes = Buffer.from(content);
  return {
    size: bytes.length,
    repeatable: true,
    async *chunks() {
      yield await Promise.resolve(bytes);
    },
    settle: () => Promise.resolve(),
  };
}

export interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** All that came, whatever it was. */
  readonly raw: string;
}

export interface Talk {
  readonly socket: Socket;
  /** Resolves with what came once the other side has closed. */
  readonly closed: Promise<Reply>;
  /** Resolves as soon as this text has come. */
  heard(text: string): Promise<void>;
}

/** Opens a connection and says this, byte for byte. */
export function talk(site: Site, said: string | Uint8Array): Talk {
  const socket = connect(site.server.port, "127.0.0.1");
  const chunks: Buffer[] = [];
  const waiting = new Set<() => void>();
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    for (const look of waiting) look();
  });
  socket.on("error", () => socket.destroy());
  const closed = new Promise<Reply>((resolve) => {
    socket.once("close", () => resolve(parseReply(Buffer.concat(chunks))));
  });
  cleanups.push(async () => {
    socket.destroy();
    await closed;
  });
  socket.write(said);
  return {
    socket,
    closed,
    heard: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (Buffer.concat(chunks).includes(text)) resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** One request on a connection of its own, and its answer. The line and headers are said as they stand. */
export async function ask(
  site: Site,
  line: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = "",
): Promise<Reply> {
  const all = { Host: `127.0.0.1:${site.server.port}`, Connection: "close", ...headers };
  const head = `${line} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, text]) => `${name}: ${text}\r\n`)
    .join("")}\r\n`;
  return await talk(site, Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(body)])).closed;
}

function parseReply(bytes: Buffer): Reply {
  const raw = bytes.toString("latin1");
  const end = raw.indexOf("\r\n\r\n");
  const [line = "", ...lines] = raw.slice(0, Math.max(end, 0)).split("\r\n");
  const headers = lines.map((text): [string, string] => {
    const colon = text.indexOf(":");
    return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
  });
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1] ?? 0);
  return { status, headers: new Map(headers), body: end === -1 ? Buffer.alloc(0) : bytes.subarray(end + 4), raw };
}
