/** Programs that some tests need: where one is missing the test says so and is skipped, but on CI it fails. */
import { spawnSync } from "node:child_process";

/** What installs a program that is in no package of Debian. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  terraform: "developer.hashicorp.com/terraform/install has it, 1.9 or newer",
  moto_server: "pip install 'moto[server]'",
};

/** The package of Debian that brings each program. */
const PACKAGES: Readonly<Record<string, string>> = {
  strace: "strace",
  script: "bsdutils",
  setpriv: "util-linux",
  setsid: "util-linux",
  unshare: "util-linux",
  mount: "mount",
  ip: "iproute2",
  tc: "iproute2",
  jq: "jq",
  tmux: "tmux",
  curl: "curl",
  python3: "python3",
  "ceph-mon": "ceph-mon",
  "ceph-osd": "ceph-osd",
  ceph: "ceph-common",
  radosgw: "radosgw",
};

const known = new Map<string, boolean>();

/** Whether the program is there. On CI a missing one is an error: a suite skipped in silence proves nothing. */
export function hasTool(name: string): boolean {
  const seen = known.get(name);
  if (seen !== undefined) return seen;
  const found = spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
  if (!found && process.env.CI) throw new Error(missing(name));
  known.set(name, found);
  return found;
}

export function missing(name: string): string {
  return `${name} is missing: ${ELSEWHERE[name] ?? `apt-get install ${PACKAGES[name] ?? name}`}`;
}

/** For `test.skipIf(!isRoot)`: mounts and other users need it. On CI not being root is an error. */
export function isRoot(): boolean {
  const root = process.getuid?.() === 0;
  if (!root && process.env.CI) throw new Error("these tests need root on CI");
  return root;
}
