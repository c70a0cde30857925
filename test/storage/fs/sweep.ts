/** The kill sweep: a program is run once for each system call that touches the store, and killed before that call. */
import { cp, mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { firstToReach, trace } from "./strace.ts";
import type { Call } from "./strace.ts";

export interface Operation {
  readonly name: string;
  /** Fewer points than this mean that the sweep no longer sees what it should. */
  readonly atLeast: number;
  /** The program and its arguments, for a store at this path. */
  command(store: string): readonly string[];
  /** Whether the store is there before. */
  readonly fromTemplate: boolean;
  /** Rejects with what is wrong after the program was killed having printed these lines. */
  check(store: string, acknowledged: readonly string[]): Promise<void>;
}

export interface SweepOptions {
  readonly operation: Operation;
  /** A store to begin with. */
  readonly template: string;
  /** An empty folder of the sweep's own. */
  readonly work: string;
  /** The preloaded script that moves counts apart. */
  readonly burn: string;
  /** Runs at the same time. */
  readonly atOnce: number;
}

export interface SweepResult {
  readonly points: number;
  /** Killed before exactly the call that was meant, not another one of the store. */
  readonly exact: number;
  /** Each names the point. */
  readonly failures: readonly string[];
}

/** Rejects where a dry run fails, or calls can't be reached. */
export async function sweep(options: SweepOptions): Promise<SweepResult> {
  const { operation, work, atOnce } = options;
  const points = await planPoints(options);
  const queue = points.entries();
  const failures: string[] = [];
  let exact = 0;
  async function worker(): Promise<void> {
    for (const [number, point] of queue) {
      const store = path.join(work, `point-${number}`, "store");
      try {
        const { acknowledged, reached } = await killAt(options, point, store);
        if (reached === point.text) exact += 1;
        await operation.check(store, acknowledged);
        await rm(path.dirname(store), { recursive: true, force: true });
      } catch (error) {
        const { thread, name, ordinal } = point.call;
        const why = error instanceof Error ? error.message : String(error);
        failures.push(`${operation.name}, ${thread} ${name} ${ordinal}: ${point.text}: ${why} [kept: ${store}]`);
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { points: points.length, exact, failures };
}

interface Killed {
  /** Lines that it had printed. */
  readonly acknowledged: readonly string[];
  /** The call that did not run any more. */
  readonly reached: string;
}

/**
 * Threads run side by side, and some counts (of a thread's wake-ups) differ from run to run: a kill that comes before
 * a call elsewhere is tried again. Rejects where it never comes before one that touches the store.
 */
async function killAt({ operation, template, burn }: SweepOptions, point: Point, store: string): Promise<Killed> {
  const { name, ordinal } = point.call;
  let last = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    await prepare(operation, template, store);
    const { status, calls, stdout, stderr } = await trace(program(operation, store, burn, point.burn), `${store}.log`, {
      calls: [name],
      env: { BURN_ONLY: name },
      injection: { call: name, fault: "signal=KILL", when: ordinal },
    });
    const reached = firstToReach(calls, name, ordinal);
    last = status === 137 ? `it was killed at ${reached?.text ?? "nothing"}` : `it was not killed: ${status} ${stderr}`;
    if (status !== 137 || reached?.text.includes(store) !== true) continue;
    const acknowledged = stdout.split("\n").filter((line) => line !== "");
    return { acknowledged, reached: normal(reached.text, store) };
  }
  throw new Error(last);
}

const ATTEMPTS = 5;

/** Where to kill, and how to get there. */
interface Point {
  readonly call: Call;
  /** The call's arguments without what differs from run to run. */
  readonly text: string;
  readonly burn: Burn;
}

interface Burn {
  readonly BURN_MAIN: string;
  readonly BURN_POOL: string;
}

/** Counts of the two threads as they are, and with either moved out of the other's way. */
const BURNS: readonly Burn[] = [
  { BURN_MAIN: "0", BURN_POOL: "0" },
  { BURN_MAIN: "0", BURN_POOL: "250" },
  { BURN_MAIN: "250", BURN_POOL: "0" },
];

/** For each call that touches the store, the burn with which its thread is the first to reach its count. */
async function planPoints({ operation, template, work, burn }: SweepOptions): Promise<Point[]> {
  const runs = await Promise.all(
    BURNS.map(async (setting, n) => {
      const store = path.join(work, `dry-${n}`, "store");
      await prepare(operation, template, store);
      const { calls, status, stderr } = await trace(program(operation, store, burn, setting), `${store}.log`);
      if (status !== 0) throw new Error(`the dry run of ${operation.name} failed: ${stderr}`);
      await operation.check(store, []);
      return { setting, calls, touching: calls.filter(({ text }) => text.includes(store)), store };
    }),
  );
  const [plain] = runs;
  if (plain === undefined) return [];
  return plain.touching.map((wanted) => {
    // The threads run side by side: only within one is the order the same each time.
    const place = inThread(plain.touching, wanted.thread).indexOf(wanted);
    for (const { setting, calls, touching, store } of runs) {
      const call = inThread(touching, wanted.thread)[place];
      if (call === undefined || call.name !== wanted.name) continue;
      if (firstToReach(calls, call.name, call.ordinal) !== call) continue;
      return { call, text: normal(call.text, store), burn: setting };
    }
    throw new Error(`no burn reaches ${wanted.thread} ${wanted.name} ${wanted.ordinal}: ${wanted.text}`);
  });
}

function inThread(calls: readonly Call[], thread: Call["thread"]): Call[] {
  return calls.filter((call) => call.thread === thread);
}

async function prepare(operation: Operation, template: string, store: string): Promise<void> {
  await rm(path.dirname(store), { recursive: true, force: true });
  await mkdir(path.dirname(store), { recursive: true });
  if (operation.fromTemplate) await cp(template, store, { recursive: true, preserveTimestamps: true });
}

function program(operation: Operation, store: string, burn: string, setting: Burn): string[] {
  const variables = Object.entries(setting).map(([name, value]) => `${name}=${value}`);
  return ["env", ...variables, process.execPath, "-r", burn, ...operation.command(store)];
}

/** Up to the result, random names alike. */
function normal(text: string, store: string): string {
  return (
    text
      .replaceAll(store, "STORE")
      .replace(/,? *(?:<unfinished.*|\)\s+= .*)$/, "")
      .replaceAll(/0x[0-9a-f]+/g, "POINTER")
      .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID")
      .replaceAll(/\d{13}-[0-9a-f]{16}/g, "ENTRY")
      .replaceAll(/\d+</g, "FD<")
      // What the call fills in is told only once it was made.
      .replace(/, (?:\{stx?_.*|POINTER.*|STATX_ALL.*|AT_EMPTY_PATH.*)$/, "")
      .replace(/^(FD<[^>]*>), ".*", \d+(?:, \d+)?$/, "$1")
  );
}
