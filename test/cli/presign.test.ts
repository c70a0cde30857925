import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { createWorld } from "./support.ts";
import type { Document, World } from "./support.ts";

const LINK = /^http:\/\/127\.0\.0\.1:1\/_\/[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}\n$/;
/** A port on which nothing answers. */
const env = { TASKFLOW_URL: "http://127.0.0.1:1" };
const DAY = 86_400_000;
let world: World;

async function attach(name: string, text = name): Promise<string> {
  await writeFile(path.join(world.cwd, name), text);
  const { status, stdout } = await world.run(["attach", "upload", "T-1", name, "-q"]);
  expect(status).toBe(0);
  return stdout.trim();
}

const presign = (words: readonly string[], options: Parameters<World["run"]>[1] = {}) =>
  world.run(["attach", "presign", ...words], { ...options, env: { ...env, ...options.env } });
const presignJson = (words: readonly string[], options: Parameters<World["run"]>[1] = {}) =>
  world.json(["attach", "presign", ...words], { ...options, env: { ...env, ...options.env } });

interface Item {
  readonly id: string;
  readonly key: string;
  readonly url: string;
  readonly curl: string;
}

function itemOf(document: Document): Item {
  return (document["items"] as Item[])[0] ?? { id: "", key: "", url: "", curl: "" };
}

beforeEach(async () => {
  world = await createWorld();
});

describe("presign", () => {
  test("prints the link and nothing else, and says on stderr what answers it", async () => {
    const key = await attach("report.pdf");
    for (const words of [["T-1", "report.pdf"], [key], ["T-1/report.pdf"], ["--task", "T-1", "report.pdf"]]) {
      const { status, stdout, stderr } = await presign([...words, "--expires", "3600"]);
      expect({ words, status }).toEqual({ words, status: 0 });
      expect(stdout).toMatch(LINK);
      expect(stderr).toBe("nothing answers at http://127.0.0.1:1; links work while this runs: taskflow attach serve\n");
    }
  });

  test("prints a link a line for several items, and reads keys from stdin", async () => {
    const keys = [await attach("a.txt"), await attach("b.txt")];
    expect((await presign(["T-1", "a.txt", "b.txt"])).stdout.split("\n")).toHaveLength(3);
    const piped = await presign(["-", "--expires", "3600"], { stdin: `${keys.join("\n")}\n` });
    expect(piped.stdout.split("\n")).toHaveLength(3);
  });

  test("without operands is a usage error that shows its three forms", async () => {
    const { status, stderr } = await presign([]);
    expect(status).toBe(2);
    for (const form of ["presign T-42 report.pdf", "presign - --expires", "presign --put T-42"])
      expect(stderr).toContain(form);
    expect((await presign(["T-1"])).status).toBe(2);
    expect((await presign([""])).status).toBe(2);
  });

  test.each(["0", "-1", "NaN", "1.5", "", " 5 ", "1e3", "0x10", "604801", "8d", "Infinity", "5w", "+5"])(
    "takes no %j for --expires",
    async (text) => {
      const { status, stderr } = await presign(["T-1", "x", `--expires=${text}`]);
      expect(status).toBe(2);
      expect(stderr).toContain("--expires");
    },
  );

  test.each([
    ["1", 1],
    ["15m", 900],
    ["2h", 7200],
    ["7d", 604_800],
    ["604800", 604_800],
  ])("makes a link that lasts %s", async (text, seconds) => {
    await attach("a.txt");
    const now = new Date("2026-11-23T20:00:00.123Z");
    const { document } = await presignJson(["T-1", "a.txt", "--expires", text], { now });
    expect(document["items"][0].expiresAt).toBe(new Date(now.getTime() + seconds * 1000).toISOString());
    expect(document["items"][0].requestedExpiresAt).toBe(document["items"][0].expiresAt);
  });

  test("tells all of a link in JSON", async () => {
    const key = await attach("Prüf bericht.pdf");
    const { status, document } = await presignJson(["T-1", "Prüf bericht.pdf", "--exact"]);
    expect(status).toBe(0);
    const item = itemOf(document);
    expect(item).toMatchObject({
      method: "GET",
      headers: {},
      fields: null,
      key,
      id: key.slice(10, 46),
      name: "Prüf bericht.pdf",
      limitedBy: "request",
    });
    expect(item.curl).toBe(`curl -fsSg -o 'Prüf bericht.pdf' ${item.url}`);
  });

  test("looks for the object first: no link for what isn't there, or was deleted", async () => {
    await attach("a.txt");
    expect(await presign(["T-1", "b.txt"])).toMatchObject({ status: 3, stdout: "" });
    await world.run(["attach", "delete", "T-1", "a.txt"]);
    expect(await presign(["T-1", "a.txt"])).toMatchObject({ status: 3, stdout: "" });
    expect(await presign(["tasks/T-1/abcdef_x"])).toMatchObject({ status: 3, stdout: "" });
  });

  test("signs links to what is there where others are missing, and says 7", async () => {
    await attach("a.txt");
    const { status, stdout } = await presign(["T-1", "nothing", "a.txt"]);
    expect(status).toBe(7);
    expect(stdout).toMatch(LINK);
  });

  test("with --no-check takes full keys only, asks nobody, and names the file by its key", async () => {
    await attach("a.txt");
    const { status, stderr, document } = await presignJson(["tasks/T-9/abcdef_x.txt", "--no-check"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(document["items"][0]).toMatchObject({ key: "tasks/T-9/abcdef_x.txt", name: "x.txt" });
    expect((await presign(["T-1", "a.txt", "--no-check"])).status).toBe(2);
    expect((await presign(["T-1", "tasks/T-9/abcdef_x.txt", "--no-check"])).status).toBe(2);
    expect((await presign(["-", "--no-check"], { stdin: "tasks/T-9/abcdef_x.txt\n" })).stdout).toMatch(LINK);
  });

  test("with --filename names the download, by the name rule", async () => {
    await attach("a.txt");
    const { document } = await presignJson(["T-1", "a.txt", "--filename", "../x\ny.txt"]);
    expect(document["items"][0].name).toBe("___x_y.txt");
    expect((await presign(["T-1", "a.txt", "--filename", ".."])).status).toBe(2);
  });

  test("with --inline says where a type is not safe to show", async () => {
    await attach("a.html", "<html>");
    await attach("a.pdf", "%PDF-1.7");
    expect((await presign(["T-1", "a.html", "--inline"])).stderr).toContain("will be saved, not shown");
    expect((await presign(["T-1", "a.pdf", "--inline"])).stderr).not.toContain("not shown");
  });

  test("never puts a token on stderr, with --debug either", async () => {
    await attach("a.txt");
    const { stdout, stderr } = await presign(["T-1", "a.txt", "--debug"]);
    const token = stdout.trim().split("/_/")[1] ?? "";
    expect(stderr).not.toContain(token.slice(0, 20));
    expect(stderr).not.toContain(token.slice(-20));
  });

  test("refuses options of the other kind of link", async () => {
    for (const words of [
      ["T-1", "a", "--type", "text/plain"],
      ["T-1", "a", "--size", "1"],
      ["T-1", "a", "--max-size", "1"],
      ["T-1", "a", "--sha256", "a".repeat(64)],
      ["--put", "T-1", "a", "--inline"],
      ["--put", "T-1", "a", "--filename", "b"],
      ["--put", "T-1", "a", "--no-check"],
      ["--put", "--post", "T-1", "a"],
      ["--put", "T-1", "a", "--size", "1", "--max-size", "2"],
      ["--put", "T-1", "a", "--sha256", "abc"],
      ["--put", "T-1"],
      ["--put", "T-1", "a", "b"],
      ["--put", "", "a"],
      ["--put", "../x", "a"],
      ["--put", "T-1", ".."],
      ["--put", "T-1", "a", "--type", "text"],
    ]) {
      await attach("seed.txt");
      const { status, stdout } = await presign(words);
      expect({ words, status, stdout }).toEqual({ words, status: 2, stdout: "" });
    }
  });
});

describe("presign --put", () => {
  test("makes a link with what must be sent, under a key of its own each time", async () => {
    await attach("seed.txt");
    const sha256 = createHash("sha256").update("x").digest("hex");
    const words = ["--put", "T-2", "it's.txt", "--type", "Text/Plain", "--size", "1", "--sha256", sha256.toUpperCase()];
    const first = itemOf((await presignJson(words)).document);
    const second = itemOf((await presignJson(words)).document);
    expect(first).toMatchObject({
      method: "PUT",
      headers: { "Content-Type": "text/plain" },
      fields: null,
      name: "it's.txt",
      key: `tasks/T-2/${first.id}_it's.txt`,
    });
    expect(first.curl).toBe(`curl -fsSg -T 'it'\\''s.txt' -H 'Content-Type: text/plain' ${first.url}`);
    expect(second.key).not.toBe(first.key);
  });

  test("is held to the policy when it is signed", async () => {
    await attach("seed.txt");
    const policy = { TASKFLOW_MAX_SIZE: "10", TASKFLOW_ALLOWED_TYPES: "image/*" };
    const status = async (...words: string[]) =>
      (await presign(["--put", "T-2", "a", ...words], { env: policy })).status;
    expect(await status("--size", "11")).toBe(9);
    expect(await status("--max-size", "11")).toBe(9);
    expect(await status("--type", "text/plain")).toBe(9);
    expect(await status("--size", "10", "--type", "image/png")).toBe(0);
    expect((await presign(["--put", "T-2", "a", "--max-size", "6G"])).status).toBe(9);
  });

  test("makes no store", async () => {
    expect((await presign(["--put", "T-2", "a"])).status).toBe(5);
    expect((await presign(["T-2", "a"])).status).toBe(5);
  });

  test("has no form on a folder, and says what there is instead", async () => {
    await attach("seed.txt");
    const { status, document } = await presignJson(["--post", "T-2", "a"]);
    expect(status).toBe(5);
    expect(document["errors"][0]).toMatchObject({ code: "unsupported" });
    expect(document["errors"][0].hint).toContain("--put");
  });
});

describe("the key that signs", () => {
  const keyFile = (): string => path.join(world.home, ".config", "taskflow", "url-key");

  test("is made in the user's folder on first use, and refused there where others can read it", async () => {
    await attach("a.txt");
    expect((await presign(["T-1", "a.txt"])).status).toBe(0);
    await chmod(keyFile(), 0o644);
    const { status, stdout, stderr } = await presign(["T-1", "a.txt"]);
    expect({ status, stdout }).toEqual({ status: 5, stdout: "" });
    expect(stderr).toContain(`hint: chmod 600 ${keyFile()}`);
    expect((await presign(["T-1", "a.txt", "--no-check"])).status).toBe(2);
  });

  test("is refused where it is empty", async () => {
    await attach("a.txt");
    await mkdir(path.dirname(keyFile()), { recursive: true });
    await writeFile(keyFile(), "", { mode: 0o600 });
    expect((await presign(["T-1", "a.txt"])).status).toBe(5);
  });

  test("is another where TASKFLOW_URL_KEY_FILE says so", async () => {
    await attach("a.txt");
    const file = path.join(world.cwd, "keys", "mine");
    expect((await presign(["T-1", "a.txt"], { env: { TASKFLOW_URL_KEY_FILE: "keys/mine" } })).status).toBe(0);
    expect(await readFile(file, "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
    await expect(readFile(keyFile())).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("that serve does not use on this store is an error that names both", async () => {
    await attach("a.txt");
    const stop = new AbortController();
    stop.abort();
    await world.run(["attach", "serve", "--port", "0"], { signal: stop.signal });
    expect((await presign(["T-1", "a.txt"])).status).toBe(0);
    const format = await readFile(path.join(world.cwd, "uploads", ".taskflow", "format"), "utf8");
    const theirs = /"linkKeys":\["([0-9a-f]{8})"\]/.exec(format)?.[1] ?? "none";
    await rm(keyFile());
    const { status, stdout, stderr } = await presign(["T-1", "a.txt"]);
    expect({ status, stdout }).toEqual({ status: 5, stdout: "" });
    expect(stderr).toContain(`'${theirs}'`);
    expect(stderr.match(/'[0-9a-f]{8}'/g)).toHaveLength(2);
  });

  test("may be changed with an overlap: what serve knows signs until serve has seen the new one", async () => {
    await attach("a.txt");
    const stop = new AbortController();
    stop.abort();
    await world.run(["attach", "serve", "--port", "0"], { signal: stop.signal });
    await writeFile(keyFile(), `${await readFile(keyFile(), "utf8")}${"ab".repeat(32)}\n`);
    expect((await presign(["T-1", "a.txt"])).status).toBe(0);
  });
});

describe("upload --link", () => {
  test("prints the link instead of the key, and --markdown a link or an image of it", async () => {
    await writeFile(path.join(world.cwd, "a_[b].txt"), "x");
    const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
    await writeFile(path.join(world.cwd, "p.png"), png);
    const link = await world.run(["attach", "upload", "T-1", "a_[b].txt", "--link", "--expires", "5m"], {
      env,
      terminal: true,
    });
    expect(link.status).toBe(0);
    expect(link.stdout).toMatch(LINK);
    const { stdout } = await world.run(["attach", "upload", "T-1", "a_[b].txt", "p.png", "--markdown"], { env });
    expect(stdout).toMatch(/^\[a\\_\\\[b\\\]\.txt\]\(http:\/\/127\.0\.0\.1:1\/_\/\S+\)\n!\[p\.png\]\(http\S+\)\n$/);
  });

  test("is `link` in JSON", async () => {
    await writeFile(path.join(world.cwd, "a.txt"), "x");
    const { document } = await world.json(["attach", "upload", "T-1", "a.txt", "--link"], { env });
    expect(`${String(document["items"][0].link)}\n`).toMatch(LINK);
    const plain = await world.json(["attach", "upload", "T-1", "a.txt"], { env });
    expect(plain.document["items"][0]).not.toHaveProperty("link");
  });

  test("attaches nothing where no link could be signed", async () => {
    await attach("a.txt");
    const file = path.join(world.cwd, "key");
    await writeFile(file, "", { mode: 0o600 });
    const { status } = await world.run(["attach", "upload", "T-2", "a.txt", "--link"], {
      env: { ...env, TASKFLOW_URL_KEY_FILE: file },
    });
    expect(status).toBe(5);
    expect((await world.run(["attach", "list", "T-2"])).stdout).toBe("");
  });

  test("with -n prints the key that it would be, for there is nothing to sign", async () => {
    await writeFile(path.join(world.cwd, "a.txt"), "x");
    const { status, stdout } = await world.run(["attach", "upload", "T-1", "a.txt", "--link", "-n"], { env });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^tasks\/T-1\/\S+_a\.txt\n$/);
  });

  test("takes --expires only with a link", async () => {
    await writeFile(path.join(world.cwd, "a.txt"), "x");
    expect((await world.run(["attach", "upload", "T-1", "a.txt", "--expires", "5m"])).status).toBe(2);
    expect((await world.run(["attach", "upload", "T-1", "a.txt", "--link", "--expires", "8d"])).status).toBe(2);
  });
});

test("a link that was signed a week ago says so itself: its end is in the token, not in the server", async () => {
  await attach("a.txt");
  const now = new Date(Date.now() - 8 * DAY);
  const { document } = await presignJson(["T-1", "a.txt", "--expires", "7d"], { now });
  expect(new Date(String(document["items"][0].expiresAt)).getTime()).toBe(now.getTime() + 7 * DAY);
});
