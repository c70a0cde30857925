/** Faults of a bucket as a person meets them: the text, the exit code, and what is left behind. */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bytesOf } from "../conformance/bodies.ts";
import { failKeys, flipByte, reply, stallBody } from "../servers/s3-double/faults.ts";
import { BUCKET, askedOf, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";
import { itemsOf } from "./support.ts";

const MIB = 1024 * 1024;
const KEY = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_a.txt";

/** What there is in the working directory, down to the last file. */
async function filesIn({ cwd }: S3World): Promise<string[]> {
  const entries = await readdir(cwd, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
}

describe("bytes", () => {
  test.each([
    ["of one request", 20_000],
    ["that were stored in parts", 9 * MIB],
  ])("F22 one bit flipped on the way, in bytes %s: exit 8 and no file", async (_, size) => {
    const world = await createS3World();
    const key = await world.attach("T-1", "a.bin", bytesOf(size));
    const before = await filesIn(world);
    world.s3.fault({ operation: "GetObject" }, flipByte(size - 5));
    for (const words of [
      ["download", key, "-o", "copy.bin"],
      ["download", "T-1", "-o", "copies/"],
    ]) {
      const { status, stdout, stderr } = await world.run(["attach", ...words]);
      expect({ words, status, stdout, stderr }).toEqual({ words, status: 8, stdout: "", stderr });
      expect(stderr).toContain(`error: ${key} is not what was attached`);
    }
    expect(await filesIn(world)).toEqual(before);
    const verified = await world.run(["attach", "verify", "T-1"]);
    expect(verified).toMatchObject({ status: 8, stdout: `mismatch\t${key}\n` });
    const piped = await world.run(["attach", "download", key, "-o", "-"]);
    expect(piped.status).toBe(8);
    expect(piped.stderr).toContain("throw away what was written");
  });
});

describe("an attachment that another program wrote over", () => {
  test("is a mismatch to verify, with the way to what was attached", async () => {
    const world = await createS3World();
    const key = await world.attach("T-1", "a.txt", "hello");
    world.s3.plant(BUCKET, key, "something else");
    const { status, stdout, stderr } = await world.run(["attach", "verify", "T-1"]);
    expect({ status, stdout }).toEqual({ status: 8, stdout: `mismatch\t${key}\n` });
    expect(stderr).toContain(`error: ${key} is not what was attached: another program replaced it\n`);
    expect(stderr).toContain(`taskflow attach show '${key}'`);
    const { document } = await world.json(["attach", "show", key]);
    expect((document["items"] as readonly { versions: unknown }[])[0]?.versions).toHaveLength(2);
  });

  test("is unrecorded where the older version may not be read, was never kept, or recorded nothing either", async () => {
    const planted = await createS3World();
    planted.s3.plant(BUCKET, KEY, "first");
    planted.s3.plant(BUCKET, KEY, "second");
    const unversioned = await createS3World({ buckets: { [BUCKET]: {} } });
    unversioned.s3.plant(BUCKET, await unversioned.attach("T-1", "a.txt", "hello"), "something else");
    const refused = await createS3World();
    refused.s3.plant(BUCKET, await refused.attach("T-1", "a.txt", "hello"), "something else");
    refused.s3.fault({ operation: "ListObjectVersions" }, reply({ status: 403, code: "AccessDenied" }));
    for (const world of [planted, unversioned, refused]) {
      const { status, stdout } = await world.run(["attach", "verify", "T-1"]);
      expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^unrecorded\t/) as string });
    }
  });
});

test("copy from a bucket that isn't there makes no store", async () => {
  const world = await createS3World();
  const before = await readdir(world.cwd);
  const { status, stderr } = await world.run(["attach", "copy", "--from", "s3://nowhere", "--to", "./copies"]);
  expect({ status, stderr }).toEqual({ status: 5, stderr: expect.stringContaining("no bucket nowhere") as string });
  expect(await readdir(world.cwd)).toEqual(before);
});

describe("names", () => {
  test("F29 keys of others are listed, whatever is in them, and nothing of it reaches the terminal raw", async () => {
    const world = await createS3World();
    const keys = ["tasks/T-1/abc123_document.pdf", "tasks/T-1/\u001b[31mred\u0007.txt", "tasks/T-1/a\tb\nc.txt"];
    for (const key of keys) world.s3.plant(BUCKET, key, "x");
    const { status, stdout, lines } = await world.run(["attach", "list", "T-1"]);
    expect(status).toBe(0);
    expect(lines).toHaveLength(keys.length);
    expect(lines.map((line) => line.split("\t").length)).toEqual(keys.map(() => 6));
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
    const { document } = await world.json(["attach", "list", "T-1"]);
    const listed = (document["items"] as readonly { key: string }[]).map(({ key }) => key);
    expect(listed.toSorted()).toEqual(keys.toSorted());
  });
});

describe("deleting and bringing back", () => {
  test("F31 what isn't there is exit 3, though S3 says 204 to its deletion", async () => {
    const world = await createS3World();
    for (const words of [
      ["delete", KEY, "--yes"],
      ["delete", KEY, "--purge", "--yes"],
      ["delete", "T-1", "a.txt"],
    ]) {
      const { status, stdout, stderr } = await world.run(["attach", ...words]);
      expect({ words, status, stdout, stderr }).toEqual({ words, status: 3, stdout: "", stderr });
    }
    expect(askedOf(world)).not.toContain("DeleteObjects");
    expect((await world.run(["attach", "delete", KEY, "--ignore-missing"])).status).toBe(0);
  });

  test("F33 what is live is `exists`, what never was `not_found`, and both stay so", async () => {
    const world = await createS3World();
    world.s3.plant(BUCKET, KEY, "hello");
    const before = world.s3.versions(BUCKET);
    expect(await world.run(["attach", "undelete", KEY])).toMatchObject({ status: 9, stdout: "" });
    expect(await world.run(["attach", "undelete", KEY.replace("a.txt", "b.txt")])).toMatchObject({ status: 3 });
    expect(world.s3.versions(BUCKET)).toEqual(before);
  });

  test.each([
    [{ "x-amz-object-lock-retain-until-date": "2031-05-06T07:08:09.000Z" }, ", until 2031-05-06T07:08:09.000Z"],
    [{ "x-amz-object-lock-legal-hold": "ON" }, ", until its legal hold is lifted"],
    [{}, ""],
  ])("F34 a version that is locked is `retained`, and says until when if that may be read: %o", async (lock, end) => {
    const world = await createS3World();
    world.s3.plant(BUCKET, KEY, "hello", { standard: lock });
    const message = "Access Denied because object protected by object lock.";
    // The first request sets the marker, the second destroys the version.
    world.s3.fault({ operation: "DeleteObjects", nth: 2 }, failKeys({ [KEY]: { code: "AccessDenied", message } }));
    const { status, stdout, stderr } = await world.run(["attach", "delete", KEY, "--purge", "--yes"]);
    expect({ status, stdout, stderr }).toEqual({ status: 9, stdout: "", stderr });
    const why = "it is locked against deletion (object lock)";
    expect(stderr).toContain(`error: cannot delete ${KEY}: ${why}${end}; it is deleted, but 1 version remains\n`);
    const kinds = world.s3.versions(BUCKET, KEY).map(({ kind }) => kind);
    expect(kinds).toEqual(["marker", "object"]);
  });
});

describe("archives", () => {
  async function archived(): Promise<S3World> {
    const world = await createS3World();
    world.s3.plant(BUCKET, KEY, "hello", { storageClass: "GLACIER" });
    return world;
  }

  test("F35 an archived object is exit 9 with the line that thaws it, and no file is made", async () => {
    const world = await archived();
    const before = await filesIn(world);
    const { status, stderr } = await world.run(["attach", "download", KEY, "-o", "copy.txt"]);
    expect(status).toBe(9);
    expect(stderr).toMatch(
      /it is archived\n(?:request id.*\n)?hint: first: taskflow attach thaw 'tasks\/T-1\/.*a\.txt'\n/,
    );
    expect(await filesIn(world)).toEqual(before);
  });

  test("F36 one that is on its way back says so", async () => {
    const world = await archived();
    expect((await world.run(["attach", "thaw", KEY])).status).toBe(0);
    const { status, stderr } = await world.run(["attach", "download", KEY, "-o", "copy.txt"]);
    expect(status).toBe(9);
    expect(stderr).toMatch(
      /it is being brought back from the archive\n(?:request id.*\n)?hint: wait for it: .* --wait\n/,
    );
    world.s3.thaw(BUCKET, KEY);
    expect((await world.run(["attach", "download", KEY, "-o", "-"])).stdout).toBe("hello");
  });
});

test("F37 a listing that doesn't know yet what was attached changes nothing: no listing is asked", async () => {
  const world = await createS3World();
  await world.attach("T-1", "a.txt");
  expect(askedOf(world)).toEqual(["PutObject"]);
});

test.each([["T-1", "a.txt"], ["T-1", "--all"], [KEY]])(
  "a server that lists no versions purges all the same: %s %s",
  async (...items) => {
    const world = await createS3World({ buckets: { [BUCKET]: {} } });
    world.s3.plant(BUCKET, KEY, "hello");
    world.s3.fault({ operation: "ListObjectVersions" }, reply({ status: 501, code: "NotImplemented" }));
    const { status, stdout } = await world.run(["attach", "delete", ...items, "--purge", "--yes"]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${KEY}\n` });
    expect(world.s3.keys(BUCKET)).toEqual([]);
  },
);

test("a delete that is cut by a signal tells of each key that it may be deleted", async () => {
  const world = await createS3World();
  const keys = [await world.attach("T-1", "a.txt"), await world.attach("T-1", "b.txt")];
  world.s3.fault({ operation: "DeleteObjects" }, stallBody(0));
  const stop = new AbortController();
  void world.s3.arrival({ operation: "DeleteObjects" }).then(() => stop.abort());
  const { status, document } = await world.json(["attach", "delete", "T-1", "--all"], { signal: stop.signal });
  expect({ status, items: itemsOf(document) }).toEqual({ status: 130, items: [] });
  for (const key of keys) {
    expect(document["errors"]).toContainEqual(
      expect.objectContaining({ code: "interrupted", message: `interrupted: ${key} may be deleted` }),
    );
  }
});

describe("a purge of versions that can't be listed", () => {
  const ITEMS = [["T-1", "a.txt"], ["T-1", "--all"], [KEY]];
  const REFUSED = reply({ status: 400, code: "InvalidArgument", message: "versions" });

  test.each(ITEMS)("leaves them deleted, never live, and says that they remain: %s %s", async (...items) => {
    const world = await createS3World();
    world.s3.plant(BUCKET, KEY, "hello");
    world.s3.fault({ operation: "ListObjectVersions" }, reply({ status: 501, code: "NotImplemented" }));
    const { status, stdout, stderr } = await world.run(["attach", "delete", ...items, "--purge", "--yes"]);
    expect({ status, stdout, stderr }).toEqual({ status: 5, stdout: "", stderr });
    expect(stderr).toContain("its versions can't be listed; it is deleted, but its versions remain\n");
    expect(world.s3.versions(BUCKET, KEY).map(({ kind }) => kind)).toEqual(["marker", "object"]);
  });

  test.each(ITEMS)("touches nothing where the listing is refused for no known reason: %s %s", async (...items) => {
    const world = await createS3World();
    world.s3.plant(BUCKET, KEY, "hello");
    const before = world.s3.versions(BUCKET);
    world.s3.fault({ operation: "ListObjectVersions" }, REFUSED);
    const { status, stdout, stderr } = await world.run(["attach", "delete", ...items, "--purge", "--yes"]);
    expect({ status, stdout, stderr }).toEqual({ status: 5, stdout: "", stderr });
    expect(stderr).toContain("refuses it: 400 InvalidArgument versions");
    expect(world.s3.versions(BUCKET)).toEqual(before);
  });

  test("is not done where the list of what was deleted breaks off", async () => {
    const world = await createS3World();
    // One page is 1,000 versions and markers.
    for (let n = 0; n < 501; n += 1) {
      const key = KEY.replace("a.txt", `${n}.txt`);
      world.s3.plant(BUCKET, key, "x");
      world.s3.delete(BUCKET, key);
    }
    const before = world.s3.versions(BUCKET);
    world.s3.fault({ operation: "ListObjectVersions", nth: 2 }, reply({ status: 501, code: "NotImplemented" }));
    const { status, stdout } = await world.run(["attach", "delete", "T-1", "--all", "--purge", "--yes"]);
    expect({ status, stdout }).toEqual({ status: 5, stdout: "" });
    expect(world.s3.versions(BUCKET)).toEqual(before);
  });
});

test("of two of one name the newer is taken, though S3 tells their times in whole seconds", async () => {
  const world = await createS3World();
  for (let round = 1; round <= 8; round += 1) {
    await world.attach(`T-${round}`, "a.txt", "older");
    await world.attach(`T-${round}`, "a.txt", "newer");
    const { status, stdout, stderr } = await world.run(["attach", "download", `T-${round}`, "a.txt", "-o", "-"]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "newer" });
    expect(stderr).toContain("2 attachments are named a.txt: took the newest");
  }
});
