/** Tests that need more of a machine than Node: skipped where it isn't there, but never silently on CI. */
import { spawnSync } from "node:child_process";
import type { TestContext } from "vitest";

/** Each answers what to do where it is missing, else `null`. */
const NEEDS = {
  strace: () =>
    works("strace", ["-e", "trace=none", "true"]) ? null : "install strace (apt-get install strace), and allow ptrace",
  root: () => (process.getuid?.() === 0 ? null : "run as root: mounts of one's own need it"),
  mounts: () =>
    works("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]) ? null : "allow mount namespaces (unshare -m)",
  otherUser: () =>
    works("setpriv", [...OTHER_USER, "true"]) ? null : "run as root with setpriv (util-linux), to be another user",
} as const;

/** Arguments of `setpriv` that make it nobody, whom mode bits stop. */
export const OTHER_USER = ["--reuid=65534", "--regid=65534", "--clear-groups"] as const;

/** Skips a test, saying what is missing; on CI it fails instead. */
export function need(context: TestContext, ...needs: (keyof typeof NEEDS)[]): void {
  for (const one of needs) {
    const missing = NEEDS[one]();
    if (missing === null) continue;
    if (process.env["CI"]) throw new Error(`CI must run this test: ${missing}`);
    context.skip(missing);
  }
}

const known = new Map<string, boolean>();

function works(command: string, args: readonly string[]): boolean {
  const line = [command, ...args].join(" ");
  const works = known.get(line) ?? spawnSync(command, args, { stdio: "ignore" }).status === 0;
  known.set(line, works);
  return works;
}
