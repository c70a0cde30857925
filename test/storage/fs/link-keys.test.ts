import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { followLinkKeys, readLinkKeys } from "../../../src/storage/fs/link-keys.ts";

const uid = process.getuid?.() ?? null;
const KEY = "a1".repeat(32);
const OTHER = "b2".repeat(32);
let folder = "";
let file = "";

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "taskflow-keys-"));
  file = path.join(folder, "config", "taskflow", "url-key");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(text: string, mode = 0o600): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text, { mode });
  await chmod(file, mode);
}

describe("the key file", () => {
  test("is made on first use, 0600 in a folder of 0700, and is the same from then on", async () => {
    const [first] = await readLinkKeys(file, uid);
    const [again] = await readLinkKeys(file, uid);
    expect(again).toEqual(first);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
    expect(await readFile(file, "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
  });

  test("of many first runs at once is one, and nothing is left of the others", async () => {
    for (let round = 0; round < 10; round += 1) {
      // Each begins a little later, so that some look while others publish.
      const runs = Array.from({ length: 20 }, async (_, turns) => {
        for (let turn = 0; turn < turns; turn += 1) await setImmediate();
        return await readLinkKeys(file, uid);
      });
      const all = await Promise.all(runs);
      expect(new Set(all.map(([{ id }]) => id)).size).toBe(1);
      expect(await readdir(path.dirname(file))).toEqual(["url-key"]);
      await rm(file);
    }
  });

  test("holds a key a line: the last signs, remarks and blank lines are nothing", async () => {
    await write(`# 2026\n${KEY}\n\n  ${OTHER.toUpperCase()} # since November\n`);
    const keys = await readLinkKeys(file, uid);
    expect(keys.map(({ secret }) => Buffer.from(secret).toString("hex"))).toEqual([OTHER, KEY]);
  });

  test("names a key without telling it", async () => {
    await write(`${KEY}\n`);
    const [{ id }] = await readLinkKeys(file, uid);
    expect(id).toMatch(/^[0-9a-f]{8}$/);
    expect(KEY).not.toContain(id);
  });

  test.each([0o644, 0o640, 0o604, 0o660, 0o601, 0o777])(
    "of mode %o is refused, and nothing else is made",
    async (mode) => {
      await write(`${KEY}\n`, mode);
      await expect(readLinkKeys(file, uid)).rejects.toMatchObject({
        code: "permission",
        exit: 5,
        hint: `chmod 600 ${file}`,
      });
      expect(await readFile(file, "utf8")).toBe(`${KEY}\n`);
    },
  );

  test.each([0o600, 0o400])("of mode %o is taken", async (mode) => {
    await write(`${KEY}\n`, mode);
    expect(await readLinkKeys(file, uid)).toHaveLength(1);
  });

  test.skipIf(uid !== 0)("of another user is refused", async () => {
    await write(`${KEY}\n`);
    await chown(file, 12_345, 12_345);
    await expect(readLinkKeys(file, uid)).rejects.toMatchObject({ code: "permission", exit: 5 });
  });

  test.each([
    ["nothing at all", ""],
    ["only a remark", "# none\n"],
    ["a short key", `${KEY.slice(1)}\n`],
    ["a good key and a bad one", `${KEY}\nhello\n`],
    ["another file's text", '{"a":1}'],
  ])("with %s in it is refused, and not replaced", async (_what, text) => {
    await write(text);
    await expect(readLinkKeys(file, uid)).rejects.toMatchObject({ code: "bad_config", exit: 5 });
    expect(await readFile(file, "utf8")).toBe(text);
  });

  test("that is a folder is refused", async () => {
    await mkdir(file, { recursive: true });
    await expect(readLinkKeys(file, uid)).rejects.toMatchObject({ code: "bad_config", exit: 5 });
  });

  test("that is refused is never told", async () => {
    await write(`${KEY}\n${OTHER}x\n`);
    const error = await readLinkKeys(file, uid).catch((caught: unknown) => caught);
    expect(JSON.stringify(error) + String(error)).not.toContain(KEY.slice(0, 8));
  });
});

describe("following the key file", () => {
  test("reads it once while it stays as it is, and again when it is another", async () => {
    await write(`${KEY}\n`);
    const follow = followLinkKeys(file, uid);
    const first = await follow();
    expect(await follow()).toBe(first);
    await write(`${KEY}\n${OTHER}\n`);
    expect(await follow()).toHaveLength(2);
  });

  test("accepts none while the file can't be trusted", async () => {
    await write(`${KEY}\n`);
    const follow = followLinkKeys(file, uid);
    await follow();
    await chmod(file, 0o644);
    await expect(follow()).rejects.toMatchObject({ code: "permission" });
    await chmod(file, 0o600);
    expect(await follow()).toHaveLength(1);
  });
});
