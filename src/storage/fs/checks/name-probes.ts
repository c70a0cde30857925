/** What only trying tells of a file system. The probes are staging parts: a crash leaves what `--fix` clears. */
import { randomUUID } from "node:crypto";
import { link } from "node:fs/promises";
import { ok, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import { createFile, removeQuietly } from "../durable.ts";
import { isErrno } from "../errors.ts";
import type { Folder } from "../folder.ts";
import { NO_LINKS } from "../format.ts";
import { pathFor } from "../paths.ts";

export async function checkLinks(folder: Folder): Promise<Finding> {
  return await withPart(folder, `${randomUUID()}.part`, async (part) => {
    const second = pathFor(folder.layout.staging, `${randomUUID()}.part`);
    try {
      await link(part, second);
      return ok("hard links work: no upload can replace another file");
    } catch (error) {
      if (!isErrno(error, ...NO_LINKS)) throw error;
      return warn("no hard links here", "uploads work, but another program that writes the same name may be replaced");
    } finally {
      await removeQuietly(second);
    }
  });
}

const LONGEST = 255;

export async function checkLongNames(folder: Folder): Promise<Finding> {
  const name = `${randomUUID()}.part`.padStart(LONGEST, "n");
  try {
    return await withPart(folder, name, () => Promise.resolve(ok(`names of ${LONGEST} bytes fit`)));
  } catch (error) {
    if (!isErrno(error, "ENAMETOOLONG")) throw error;
    return warn(`names of ${LONGEST} bytes don't fit`, "uploads with long names fail here: --name gives a shorter one");
  }
}

async function withPart(folder: Folder, name: string, work: (part: string) => Promise<Finding>): Promise<Finding> {
  await folder.prepare();
  const part = pathFor(folder.layout.staging, name);
  await createFile(part, Buffer.from("probe"));
  try {
    return await work(part);
  } finally {
    await removeQuietly(part);
  }
}
