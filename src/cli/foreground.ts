/** Whether a terminal's own signals reach this process: a part of the process context. */
import { readFileSync } from "node:fs";

/** Whether the process is of the job that a terminal sends SIGINT (Ctrl-C) to: in front, of a terminal that controls it. */
export function isForegroundJob(pid: number): boolean {
  const [group, front] = groups(pid);
  return group !== undefined && group > 0 && group === front;
}

/** The process group, and that in front of the terminal: -1 or 0 where there is none. */
function groups(pid: number): (number | undefined)[] {
  try {
    // proc(5): pid (name) state ppid pgrp session tty_nr tpgid …; the name may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [Number(fields[2]), Number(fields[5])];
  } catch {
    // No /proc: macOS and the BSDs. Not imported: every start would pay for it.
    const { spawnSync } = process.getBuiltinModule("node:child_process");
    const { stdout } = spawnSync("ps", ["-o", "pgid=,tpgid=", "-p", String(pid)], { encoding: "latin1" });
    return stdout.trim().split(/\s+/).map(Number);
  }
}
