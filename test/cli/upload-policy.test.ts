/** What may be attached, and what may be recorded with it. */
import { truncate } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { snapshot } from "./snapshot.ts";
import { createWorld, matching } from "./support.ts";

const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489", "hex");

describe("the type", () => {
  test("is --type, else decisive leading bytes, else the extension's, else application/octet-stream", async () => {
    const { json } = await createWorld();
    const typeOf = async (name: string, content: string | Uint8Array, ...more: string[]): Promise<string> => {
      const argv = ["attach", "upload", "T-1", "-", "--name", name, ...more];
      return (await json(argv, { stdin: content })).document["items"][0].type;
    };
    expect(await typeOf("x.pdf", "whatever", "--type", "Text/CSV; Charset=utf-8")).toBe("text/csv; charset=utf-8");
    expect(await typeOf("picture.txt", PNG)).toBe("image/png");
    expect(await typeOf("notes.pdf", "plain words")).toBe("application/pdf");
    expect(await typeOf("noextension", "plain words")).toBe("application/octet-stream");
  });

  test.each(["", "text", "text/", "/plain", "text/*", "a/b;", "text/plain\nX: y"])(
    "--type %j is exit 2",
    async (type) => {
      const { run } = await createWorld();
      expect((await run(["attach", "upload", "T-1", "-", `--type=${type}`], { stdin: "x" })).status).toBe(2);
    },
  );

  test("TASKFLOW_ALLOWED_TYPES refuses all others, files and stdin alike, with 9", async () => {
    const { run, json, write } = await createWorld();
    await write("a.txt");
    const env = { TASKFLOW_ALLOWED_TYPES: "image/*,application/pdf" };
    expect(await run(["attach", "upload", "T-1", "a.txt"], { env })).toMatchObject({
      status: 9,
      stderr: matching(/a\.txt is text\/plain, which is not allowed here\nhint: allowed: image\/\*/),
    });
    const { status, document } = await json(["attach", "upload", "T-1", "-", "-n"], { env, stdin: "text" });
    expect([status, document["errors"][0].code]).toEqual([9, "type_not_allowed"]);
    expect((await run(["attach", "upload", "T-1", "-"], { env, stdin: PNG })).status).toBe(0);
    expect((await run(["attach", "upload", "T-1", "a.txt"], { env: { TASKFLOW_ALLOWED_TYPES: "x" } })).status).toBe(5);
  });
});

describe("the size", () => {
  const env = { TASKFLOW_MAX_SIZE: "1K" };

  test("A15 more than TASKFLOW_MAX_SIZE is 9 before the first byte is read", async () => {
    const { run, json, write } = await createWorld();
    await write("ok", "x".repeat(1024));
    const huge = await write("huge");
    await truncate(huge, 2 ** 40);
    expect((await run(["attach", "upload", "T-1", "ok"], { env })).status).toBe(0);
    const begun = performance.now();
    const { status, document } = await json(["attach", "upload", "T-1", "huge"], { env });
    expect([status, document["errors"][0].code]).toEqual([9, "too_large"]);
    expect(document["errors"][0].message).toBe("huge has 1099511627776 bytes, more than the 1024 that may be stored");
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  test("a pipe is cut off at it, and nothing of it stays", async () => {
    const { run, json, attach, store } = await createWorld();
    await attach("T-0", "makes the store");
    const before = Object.keys(await snapshot(store));
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield await Promise.resolve(Buffer.alloc(100));
    }
    const { status, stderr } = await run(["attach", "upload", "T-0", "-"], { env, stdin: endless() });
    expect([status, stderr]).toEqual([9, expect.stringMatching(/1024 bytes/)]);
    expect(Object.keys(await snapshot(store))).toEqual(before);
    expect((await json(["attach", "list"])).document["items"]).toHaveLength(1);
  });

  test.each(["0", "-1", "1.5G", "1KB", "ten", " 5", "9999999999999999"])("TASKFLOW_MAX_SIZE=%s is 5", async (size) => {
    const { run, write } = await createWorld();
    await write("a");
    const { status, stderr } = await run(["attach", "upload", "T-1", "a"], { env: { TASKFLOW_MAX_SIZE: size } });
    expect([status, stderr]).toEqual([5, expect.stringContaining(`TASKFLOW_MAX_SIZE=${size}`)]);
  });
});

describe("--meta, --tag, --note, --storage-class", () => {
  test("--meta keys are lower-cased, values are any text", async () => {
    const { json, attach } = await createWorld();
    const key = await attach(
      "T-1",
      "a",
      "x",
      "--meta",
      "Author=Zoë = ok",
      "--meta=empty=",
      "--note",
      "two\nlines\u001b",
    );
    expect((await json(["attach", "show", key])).document["items"][0]).toMatchObject({
      meta: { author: "Zoë = ok", empty: "" },
      note: "two\nlines\u001b",
    });
  });

  test.each([
    [["--meta", "novalue"], /expected KEY=VALUE/],
    [["--meta", "=x"], /expected KEY=VALUE/],
    [["--meta", "a b=x"], /the key must be/],
    [["--meta", "a=1", "--meta", "A=2"], /given twice/],
    [["--tag", "a=1", "--tag", "a=2"], /given twice/],
    [["--tag", "aws:x=1"], /reserved/],
    [["--tag", "a=semi;colon"], /S3 takes letters/],
    [Array.from({ length: 11 }, (_, at) => `--tag=t${at}=x`), /11 tags given, S3 takes 10/],
    [["--storage-class", "COLD"], /no storage class 'COLD'\nhint: STANDARD, /],
    [["--storage-class", ""], /--storage-class is empty/],
  ])("%j is exit 2", async (options, message) => {
    const { run, write } = await createWorld();
    await write("a");
    const { status, stderr } = await run(["attach", "upload", "T-1", "a", ...options]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  test("all metadata as sent is at most 2,048 bytes: more is exit 2 with the count", async () => {
    const { run, write } = await createWorld();
    await write("a");
    const noteOf = (length: number): string[] => ["attach", "upload", "T-1", "a", "-n", "--note", "n".repeat(length)];
    const { status, stderr } = await run(noteOf(2048));
    expect(status).toBe(2);
    const [, bytes] = /the metadata takes (\d+) bytes as sent, at most 2048 fit/.exec(stderr) ?? [];
    const room = 2048 - (Number(bytes) - 2048);
    expect((await run(noteOf(room))).status).toBe(0);
    expect((await run(noteOf(room + 1))).stderr).toContain("takes 2049 bytes");
    // Sent percent-encoded: a letter beyond ASCII takes six.
    expect((await run(["attach", "upload", "T-1", "a", "-n", "--note", "é".repeat(room / 6 + 1)])).status).toBe(2);
  });

  test("a storage class is a label on a folder, in any spelling of its case", async () => {
    const { json, attach } = await createWorld();
    await attach("T-1", "a", "x", "--storage-class", "deep_archive");
    await attach("T-1", "b", "x");
    expect((await json(["attach", "list", "T-1", "--sort", "name"])).document["items"]).toMatchObject([
      { storageClass: "DEEP_ARCHIVE" },
      { storageClass: "STANDARD" },
    ]);
  });
});
