/**
 * Each kind of link, as a person uses it: the line that `--curl` prints, run by a shell. `npm test` runs it on the double,
 * `npm run test:ceph`, `test:moto` and `test:aws` on others.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { keyOf } from "../bin/support.ts";
import { bytesOf } from "../conformance/bodies.ts";
import { hasTool } from "../tools.ts";
import { openScene, sha256 } from "./scene-support.ts";
import type { Item } from "./scene-support.ts";

const HARD_NAME = `Prüf (1) [a]; b,"c" 'd' $(e).txt`;
const FORBIDDEN = /error: 403/;

const scene = await openScene();
const { server, task, attach, done, items, stored } = scene;
const { trusting = {} } = server;
const file = (...parts: string[]): string => scene.sandbox().path(...parts);

/** Runs a line; its exit status, and what curl says. */
async function shell(line: string, cwd = file()): Promise<{ status: number | null; stderr: string; stdout: string }> {
  const { status, stderr, stdout } = await scene.sandbox().bash(line, { cwd });
  return { status, stderr, stdout };
}

async function works(line: string, cwd?: string): Promise<string> {
  const finished = await shell(line, cwd);
  expect(finished).toEqual({ ...finished, status: 0, stderr: "" });
  return finished.stdout;
}

/** curl's 22: the server said no. */
async function isRefused(line: string, said: RegExp = FORBIDDEN): Promise<void> {
  const finished = await shell(line);
  expect(finished).toMatchObject({ status: 22, stderr: expect.stringMatching(said) as unknown });
}

/** A line of `presign --curl`, signed for what `name` is to be. */
async function lineOf(...words: string[]): Promise<string> {
  return (await done(["presign", ...words, "--curl"])).stdout.trim();
}

/** Runs the line until its link has ended, which it does within seconds. */
async function ends(line: string): Promise<void> {
  for (let tries = 0; !FORBIDDEN.test((await shell(line)).stderr); tries += 1) {
    if (tries > 5000) throw new Error("it goes on and on");
  }
}

/** The one thing that is attached to the task. */
async function only(): Promise<Item> {
  const [item, ...more] = await items(["list", task()]);
  if (item === undefined || more.length > 0) throw new Error(`${more.length + 1} are attached, or none`);
  return item;
}

describe.skipIf(!hasTool("curl"))(`a link to download from ${server.name}`, () => {
  test("gives the bytes, to the file of its name, by the line that was printed", async () => {
    await writeFile(file(HARD_NAME), "hello");
    const key = keyOf(await done(["upload", task(), HARD_NAME]));
    await mkdir(file("out"));
    await works(await lineOf(task(), HARD_NAME), file("out"));
    const [item] = (await items(["presign", key])) as unknown as { name: string }[];
    expect(await readFile(file("out", item?.name ?? ""), "utf8")).toBe("hello");
  });

  test("comes out of a pipe, and of the upload itself", async () => {
    const sign = (key: string): string[] => ["presign", "-", "--expires", "60", ...(key === "" ? [] : ["--quiet"])];
    await writeFile(file("a.log"), "all passed");
    const key = keyOf(await done(["upload", task(), "a.log"]));
    const { stdout: piped } = await done(sign(key), { stdin: `${key}\n` });
    const { stdout: printed } = await done(["upload", task(), "a.log", "--link", "--expires", "60"]);
    for (const url of [piped, printed]) expect(await works(`curl -fsS '${url.trim()}'`)).toBe("all passed");
  });

  // What is put into an archive of AWS is paid for 90 days; Ceph's is a name, read like any other.
  if (server.name === "double" || server.name === "moto") {
    test("isn't made for what is archived: exit 9", async () => {
      await writeFile(file("a.txt"), "hello");
      const key = keyOf(await done(["upload", task(), "a.txt", "--storage-class", "GLACIER"]));
      await scene.refused(["presign", key], {}, 9, /is archived[^]*attach thaw/);
    });
  }

  if (trusting.signatures === undefined) {
    test("is good for nothing else: not for another key, method, name or time, and ends", async () => {
      for (const name of ["a.txt", "b.txt"]) await writeFile(file(name), "hello");
      const [a = "", b = ""] = (await done(["upload", task(), "a.txt", "b.txt"])).stdout.trim().split("\n");
      const line = await lineOf(a, "--expires", "60");
      await works(line);
      await isRefused(line.replace(a, b));
      await isRefused(line.replace("X-Amz-Expires=60", "X-Amz-Expires=61"));
      await isRefused(line.replace("attachment", "inline"));
      await isRefused(line.replace("-fsSg", "-fsSg -X DELETE"));
      await ends(await lineOf(a, "--expires", "1"));
      expect((await stored(a)).toString()).toBe("hello");
    });
  }
});

describe.skipIf(!hasTool("curl"))(`a link to upload to ${server.name}`, () => {
  const LARGE = bytesOf(2_000_000);

  test("takes the file by the line that was printed, type and length with it", async () => {
    await writeFile(file(HARD_NAME), LARGE);
    await works(await lineOf("--put", task(), HARD_NAME, "--type", "text/plain"));
    const { key, size } = await only();
    expect(size).toBe(LARGE.length);
    expect(sha256(await stored(key))).toBe(sha256(LARGE));
    expect(await items(["show", key])).toMatchObject([{ type: "text/plain", sha256: null }]);
  });

  test("that says size and digest leaves a record, and verifies", async () => {
    await writeFile(file("a.bin"), LARGE);
    const bound = ["--size", String(LARGE.length), "--sha256", sha256(LARGE)];
    await works(await lineOf("--put", task(), "a.bin", ...bound));
    expect(await items(["show", task(), "a.bin"])).toMatchObject([{ size: LARGE.length, sha256: sha256(LARGE) }]);
    expect((await done(["verify", task()])).stderr).toContain("1 ok");
  });

  test("takes nothing but what it was signed for, and that once", async () => {
    await writeFile(file("a.txt"), "hello");
    await writeFile(file("other.txt"), "jello");
    await writeFile(file("large.txt"), "hello world");
    const bound = ["--type", "text/plain", "--size", "5", "--sha256", sha256(Buffer.from("hello"))];
    const line = await lineOf("--put", task(), "a.txt", ...bound);
    const from = (name: string): string => line.replace("-T a.txt", `-T ${name}`);
    if (trusting.signatures === undefined) {
      await isRefused(from("large.txt"));
      await isRefused(line.replace("text/plain", "text/html"));
      await isRefused(line.replace(/-H 'If-None-Match: \*'/, ""));
      await isRefused(line.replace(/_a\.txt\?/, "_b.txt?"));
      await ends(await lineOf("--put", task(), "other.txt", "--expires", "1"));
    }
    if (trusting.digests === undefined) await isRefused(from("other.txt"), /error: 400/);
    await works(line);
    if (trusting.conditions === undefined) await isRefused(line, /error: 412/);
    expect(await items(["show", task(), "a.txt"])).toMatchObject([{ size: 5, type: "text/plain" }]);
  });
});

describe.skipIf(!hasTool("curl"))(`a form to upload with to ${server.name}`, () => {
  test("takes the file by the line that was printed, and says that it may be sent again", async () => {
    await writeFile(file(HARD_NAME), "hello");
    const { stdout, stderr } = await done(["presign", "--post", task(), HARD_NAME, "--type", "text/plain"]);
    expect(stderr).toContain("is replaced then");
    await works(stdout);
    await writeFile(file(HARD_NAME), "once more");
    await works(stdout);
    const { key } = await only();
    expect((await stored(key)).toString()).toBe("once more");
    expect(await items(["show", key])).toMatchObject([{ type: "text/plain" }]);
  });

  if (trusting.signatures === undefined) {
    test("takes nothing but what it was signed for, until it ends", async () => {
      await writeFile(file("a.txt"), "hello");
      await writeFile(file("empty.txt"), "");
      await writeFile(file("large.txt"), "hello world");
      const line = await lineOf("--post", task(), "a.txt", "--type", "text/plain", "--max-size", "10");
      const from = (name: string): string => line.replace('file=@"a.txt"', `file=@"${name}"`);
      expect(from("large.txt")).not.toBe(line);
      await isRefused(from("large.txt"), /error: 400/);
      await isRefused(from("empty.txt"), /error: 400/);
      await isRefused(line.replace("Content-Type=text/plain", "Content-Type=text/html"));
      await isRefused(line.replace(/'?key=(\S+)_a\.txt/, (word) => word.replace("_a.txt", "_b.txt")));
      await isRefused(line.replace(/X-Amz-Signature=./, "X-Amz-Signature=z"));
      expect((await done(["list", task()])).stdout).toBe("");
      await works(line);
      await ends(await lineOf("--post", task(), "a.txt", "--expires", "1"));
    });
  }

  test("is refused by the policy when it is signed", async () => {
    const env = { TASKFLOW_MAX_SIZE: "10", TASKFLOW_ALLOWED_TYPES: "image/*" };
    for (const words of [["--max-size", "11"], ["--type", "text/plain"], []]) {
      const { status, stdout } = await attach(["presign", "--post", task(), "a.txt", ...words], { env });
      expect({ words, status, stdout }).toEqual({ words, status: 9, stdout: "" });
    }
  });
});
