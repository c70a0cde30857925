/**
 * The pipes that a command writes its output to. Node's own are sockets, and `echo … > /dev/stderr`, as many scripts have
 * it, fails on a socket (nodejs/node#21941). So these are named pipes whose names are gone before the command begins.
 */
import { spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";

export interface OutputPipes {
  /** For `spawn`: stdout and stderr. */
  readonly ends: readonly [number | "pipe", number | "pipe"];
  /** What the command writes to each; to be called once it was spawned, or could not be. */
  readers(child: ChildProcess | null): readonly Readable[];
}

/** Two pipes; sockets, as Node makes them, where there can't be named pipes. */
export function openPipes(): OutputPipes {
  const made: Pipe[] = [];
  try {
    const folder = mkdtempSync(path.join(tmpdir(), "taskflow-run-"));
    try {
      const names = ["out", "err"].map((name) => path.join(folder, name));
      const { status } = spawnSync("mkfifo", ["-m", "600", ...names], { stdio: "ignore" });
      if (status !== 0) return SOCKETS;
      for (const name of names) made.push(openPipe(name));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } catch {
    // No room, or no right, to make them in the temporary folder.
    for (const { read, write } of made.splice(0)) [read, write].forEach(closeSync);
  }
  const [out, err] = made;
  if (out === undefined || err === undefined) return SOCKETS;
  return {
    ends: [out.write, err.write],
    readers(child) {
      // Ours would keep the pipes from ever ending.
      for (const { write } of made) closeSync(write);
      if (child !== null) return made.map(({ read }) => new Socket({ fd: read, readable: true, writable: false }));
      for (const { read } of made) closeSync(read);
      return [];
    },
  };
}

interface Pipe {
  readonly read: number;
  readonly write: number;
}

const SOCKETS: OutputPipes = {
  ends: ["pipe", "pipe"],
  readers: (child) => [child?.stdout, child?.stderr].filter((stream) => stream !== null && stream !== undefined),
};

/** The reading end first, and without waiting for a writer: each end's open would else wait for the other. */
function openPipe(name: string): Pipe {
  const read = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
  return { read, write: openSync(name, constants.O_WRONLY) };
}
