/** Whether the key that signs links can be used, and is the one that `serve` accepts. */
import { ok, skip } from "../../check.ts";
import type { Finding } from "../../check.ts";
import type { LinkSettings } from "../../presigner.ts";
import type { Folder } from "../folder.ts";
import { readFormat } from "../format.ts";
import { findLinkKeys } from "../link-keys.ts";
import { acceptedKey } from "../presigner.ts";

/** Errors: `permission` and `bad_config` as a signature's. No key is made. */
export async function checkLinkKey({ layout }: Folder, links: (() => LinkSettings) | null): Promise<Finding> {
  if (links === null) return skip("this store was opened without settings for links");
  const { keyFile, uid } = links();
  const keys = await findLinkKeys(keyFile, uid);
  if (keys === null) return skip(`${keyFile} is not there yet: the first link makes it`);
  const { id } = acceptedKey(layout.root, readFormat(layout)?.linkKeys ?? [], keys, keyFile);
  return ok(`${keyFile}, key ${id}`);
}
