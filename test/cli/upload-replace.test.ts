/** `upload --replace`. */
import { describe, expect, test } from "vitest";
import { reply, silent } from "../servers/s3-double/faults.ts";
import { BUCKET, createS3World } from "./s3-support.ts";
import { createWorld, firstOf } from "./support.ts";

describe("--replace", () => {
  test("deletes older ones of that name once the new one is stored, undoably", async () => {
    const { run, json, attach } = await createWorld();
    const old = [await attach("T-1", "a.txt", "1"), await attach("T-1", "a.txt", "2")];
    const other = await attach("T-1", "b.txt");
    const elsewhere = await attach("T-2", "a.txt");
    const { document, stderr } = await json(["attach", "upload", "T-1", "-", "--name", "a.txt", "--replace"], {
      stdin: "3",
    });
    expect(document["items"][0].replaced.toSorted()).toEqual(old.toSorted());
    const [, undo = ""] = /^deleted 2 older attachments of that name, undo: taskflow (.*)$/m.exec(stderr) ?? [];
    const { key } = firstOf(document);
    expect((await run(["attach", "list"])).lines.map((line) => line.split("\t")[0] ?? "").toSorted()).toEqual(
      [key, other, elsewhere].toSorted(),
    );
    expect((await run(undo.split(" "))).lines.toSorted()).toEqual(old.toSorted());
  });

  test("takes names for the same where they are, not where their keys look alike", async () => {
    const { run, write, json } = await createWorld();
    await write("photos/a/b.txt", "deep");
    await write("photos/a_b.txt", "flat");
    for (const round of [1, 2]) {
      const { document } = await json(["attach", "upload", "T-1", "-r", "photos", "--replace"]);
      expect(document["items"]).toHaveLength(2);
      expect(document["items"].map(({ replaced }: { replaced: string[] }) => replaced.length)).toEqual(
        round === 1 ? [0, 0] : [1, 1],
      );
      const { document: listed } = await json(["attach", "list", "T-1", "-l"]);
      expect(listed["items"].map(({ name }: { name: string }) => name).toSorted()).toEqual(["a/b.txt", "a_b.txt"]);
    }
    // What nothing is recorded of has its key's name.
    await write("uploads/tasks/T-1/abc123_a_b.txt", "foreign");
    const { document } = await json(["attach", "upload", "T-1", "-r", "photos", "--replace"]);
    const replaced = document["items"].flatMap((item: { replaced: string[] }) => item.replaced) as string[];
    expect(replaced).toHaveLength(3);
    expect(replaced).toContain("tasks/T-1/abc123_a_b.txt");
    expect((await run(["attach", "list", "T-1"])).lines).toHaveLength(2);
  });

  test("of two files of one name in one command the second is refused, and the first stays", async () => {
    const { json, write } = await createWorld();
    for (const folder of ["one", "two"]) await write(`${folder}/a.txt`, folder);
    for (const words of [
      ["one/a.txt", "two/a.txt"],
      ["-r", "one", "two"],
    ]) {
      const { status, document } = await json(["attach", "upload", "T-1", ...words, "--replace"]);
      expect(status).toBe(7);
      expect(document["errors"]).toMatchObject([
        { code: "usage", message: "two files are called a.txt: with --replace only one of them would stay" },
      ]);
      const listed = await json(["attach", "list", "T-1"]);
      expect(listed.document["items"]).toMatchObject([{ key: firstOf(document).key, size: "one".length }]);
    }
  });

  test("with --dry-run says what would go, and leaves it", async () => {
    const { json, attach, write } = await createWorld();
    const key = await attach("T-1", "a.txt");
    await write("a.txt");
    const { document, stderr } = await json(["attach", "upload", "T-1", "a.txt", "--replace", "-n"]);
    expect(document["items"]).toMatchObject([{ replaced: [key] }]);
    expect(stderr).toContain("would delete 1 older attachment of that name\n");
    expect((await json(["attach", "list", "T-1"])).document["items"]).toMatchObject([{ key }]);
  });

  test.each([
    ["keeps no versions", undefined, "This can't be undone."],
    ["keeps none any more", "Suspended", "This can't be undone."],
    ["doesn't say whether it keeps any", "Enabled", "Whether this can be undone isn't known"],
  ] as const)("asks first where a bucket %s, if there is something to replace", async (_, versioning, warning) => {
    const world = await createS3World({ buckets: { [BUCKET]: versioning === undefined ? {} : { versioning } } });
    if (versioning === "Enabled") {
      world.s3.fault({ operation: "GetBucketVersioning" }, reply({ status: 403, code: "AccessDenied" }));
    }
    await world.write("a.txt", "1");
    const argv = ["attach", "upload", "T-1", "a.txt", "--replace"];
    expect((await world.run(argv)).status).toBe(0);
    const [first] = world.s3.keys(BUCKET);
    const { status, stdout, stderr } = await world.run(argv);
    expect({ status, stdout }).toEqual({ status: 9, stdout: "" });
    expect(stderr).toContain(
      `error: not confirmed: replace what has the same name on T-1 in s3://${BUCKET}? ${warning}`,
    );
    expect(stderr).toContain("hint: add --yes to confirm");
    expect(world.s3.keys(BUCKET)).toEqual([first]);
    expect((await world.run([...argv, "--yes"])).status).toBe(0);
    expect(world.s3.keys(BUCKET)).toHaveLength(1);
    expect(world.s3.keys(BUCKET)).not.toEqual([first]);
  });

  test("tells what is attached where the older one can't be deleted: exit 7", async () => {
    const world = await createS3World();
    const old = await world.attach("T-1", "a.txt");
    await world.write("a.txt", "new");
    world.s3.fault({ operation: "DeleteObject" }, reply({ status: 403, code: "AccessDenied" }));
    world.s3.fault({ operation: "DeleteObjects" }, reply({ status: 403, code: "AccessDenied" }));
    const { status, document, stderr } = await world.json(["attach", "upload", "T-1", "a.txt", "--replace"]);
    const { key } = firstOf(document);
    expect(status).toBe(7);
    expect(world.s3.keys(BUCKET).toSorted()).toEqual([old, key].toSorted());
    expect(document["errors"]).toMatchObject([{ code: "access_denied", index: 0, item: "a.txt" }]);
    expect(stderr).toContain(`error: ${key} is attached, but older ones of that name stay: `);
    expect(stderr).toContain("attached 1 file (3 B)");
  });

  test("tells what is attached where it is interrupted before the older one is deleted", async () => {
    const world = await createS3World();
    const old = await world.attach("T-1", "a.txt");
    await world.write("a.txt", "new");
    world.s3.fault({ operation: "ListObjectsV2", nth: 2 }, silent());
    const stop = new AbortController();
    const running = world.run(["attach", "upload", "T-1", "a.txt", "--replace"], { signal: stop.signal });
    await world.s3.arrival({ operation: "ListObjectsV2" });
    await world.s3.arrival({ operation: "ListObjectsV2" });
    stop.abort();
    const { status, stdout, stderr } = await running;
    expect(status).toBe(130);
    expect(world.s3.keys(BUCKET).toSorted()).toEqual([old, stdout.trim()].toSorted());
    expect(stderr).toContain("attached 1 file (3 B)");
    expect(stderr).not.toContain("nothing was attached");
  });

  test("with nothing to replace replaces nothing, and a failed upload deletes nothing", async () => {
    const { run, json, attach } = await createWorld();
    const old = await attach("T-1", "a.txt");
    const argv = ["attach", "upload", "T-1", "missing", "--name", "a.txt", "--replace"];
    expect((await run(argv)).status).toBe(3);
    expect((await json(["attach", "list"])).document["items"]).toMatchObject([{ key: old }]);
    await run(["attach", "delete", old]);
    const { document } = await json(["attach", "upload", "T-1", "-", "--name=a.txt", "--replace"], { stdin: "x" });
    expect(document["items"][0].replaced).toEqual([]);
  });

  test("of several such runs at once exactly one file stays", async () => {
    const { run, write } = await createWorld();
    await write("a.txt");
    for (let round = 0; round < 8; round += 1) {
      const task = `T-${round}`;
      const argv = ["attach", "upload", task, "a.txt", "--replace"];
      // The second half begins while the first is under way.
      const first = Array.from({ length: 2 }, () => run(argv));
      await new Promise((resolve) => setImmediate(resolve));
      const all = await Promise.all([...first, run(argv)]);
      expect(all.map(({ status }) => status)).toEqual([0, 0, 0]);
      expect((await run(["attach", "list", task])).lines).toHaveLength(1);
    }
  });
});
