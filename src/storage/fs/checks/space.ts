/** How much fits still. */
import { statfs } from "node:fs/promises";
import { ok, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import type { Folder } from "../folder.ts";

const GiB = 1024 ** 3;
const FEW_BYTES = GiB;
const FEW_NAMES = 1000;

export async function checkSpace({ layout: { root } }: Folder): Promise<Finding> {
  const { bavail, bsize, files, ffree } = await statfs(root);
  const free = bavail * bsize;
  const room = `${(free / GiB).toFixed(1)} GiB free`;
  if (free < FEW_BYTES)
    return warn(room, "make room before large uploads: one that doesn't fit fails, and leaves nothing");
  // Some file systems (btrfs) count no inodes.
  if (files > 0 && ffree < FEW_NAMES)
    return warn(`${room}, but room for ${ffree} files only`, "make room for names: df -i");
  return ok(room);
}
