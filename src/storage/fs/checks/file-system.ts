/** Whether the file system keeps what the store relies on: renames that are whole, names as they are written. */
import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import path from "node:path";
import { TaskflowError } from "../../../errors.ts";
import { ok, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import type { Folder } from "../folder.ts";
import { look } from "../levels.ts";
import type { Layout } from "../paths.ts";

const NO_JOURNAL = "a power cut in the middle of a rename may lose a file there";

/** What is wrong with those that work; `null`: nothing. */
const KNOWN: Readonly<Record<string, string | null>> = {
  ext4: null,
  ext3: null,
  xfs: null,
  btrfs: null,
  zfs: null,
  f2fs: null,
  apfs: null,
  overlay: "in a container it goes away with it: mount a volume",
  tmpfs: "it is gone when the machine stops",
  nfs4: "NFSv4 works as well as it can",
  nfs: "before NFSv4 a name may be lost",
  ext2: NO_JOURNAL,
  vfat: NO_JOURNAL,
  exfat: NO_JOURNAL,
};

const FIX = "keep the store on a local disk with ext4, xfs, btrfs or APFS";

/** Errors: `bad_config` where something is mounted inside the store: no upload gets past that. */
export async function checkFileSystem({ layout }: Folder): Promise<Finding> {
  const { root, own, tasks } = layout;
  demandOneDevice(layout);
  const name = mountedType(root) ?? (await numberedType(root));
  const folded = ignoresCase(look(own) === null ? tasks : own);
  const where = `on ${name}${folded ? ", takes a and A for one name" : ""}`;
  const but = KNOWN[name];
  if (but === undefined) return warn(`${where}, which is not known here`, FIX);
  if (but !== null) return warn(`${where}: ${but}`, FIX);
  return folded ? warn(where, "tasks whose ids differ in case alone can't be told apart") : ok(where);
}

function demandOneDevice({ root, own, tasks, staging, sidecars, trash }: Layout): void {
  const device = look(root)?.dev;
  const other = [own, tasks, staging, sidecars, trash].find((level) => (look(level)?.dev ?? device) !== device);
  if (other === undefined) return;
  throw new TaskflowError("bad_config", `${other} is on another file system than ${root}: uploads fail there`, {
    hint: `a store must be on one file system: umount ${other}`,
    context: { path: other },
  });
}

/** By the innermost mount that holds the folder (proc(5), mountinfo); `null` without /proc. */
function mountedType(root: string): string | null {
  let text: string;
  try {
    text = readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    // macOS and the BSDs.
    return null;
  }
  let found: { readonly depth: number; readonly type: string } | null = null;
  for (const line of text.split("\n")) {
    const point = line.split(" ")[4]?.replaceAll(/\\(\d{3})/g, (_, octal: string) => unescapeOctal(octal));
    const type = line.split(" - ")[1]?.split(" ")[0];
    if (point === undefined || type === undefined || !holds(point, root)) continue;
    // Of two on one point the later one hides the earlier.
    if (found === null || point.length >= found.depth) found = { depth: point.length, type };
  }
  return found?.type ?? null;
}

function unescapeOctal(octal: string): string {
  return String.fromCodePoint(Number.parseInt(octal, 8));
}

function holds(point: string, folder: string): boolean {
  return folder === point || folder.startsWith(point.endsWith("/") ? point : `${point}/`);
}

/** `f_type` of statfs(2) in hex; APFS by macOS's number of it. */
async function numberedType(root: string): Promise<string> {
  const { type } = await statfs(root);
  return type === 0x1a ? "apfs" : `0x${type.toString(16)}`;
}

/** Whether the folder answers to its name in capitals too. */
function ignoresCase(folder: string): boolean {
  const other = look(path.join(path.dirname(folder), path.basename(folder).toUpperCase()));
  return other !== null && other.ino === look(folder)?.ino;
}
