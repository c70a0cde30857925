import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TaskflowError } from "../../src/errors.ts";
import { portOf } from "../../src/cli/actions/serve.ts";
import { hasTool } from "../tools.ts";
import { createWorld } from "./support.ts";
import type { RunResult, World } from "./support.ts";

let world: World;
const running: (() => Promise<RunResult>)[] = [];

beforeEach(async () => {
  world = await createWorld();
});

afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

/** A server that the test's own commands sign for. */
async function serve(words: readonly string[] = [], more: Record<string, string> = {}) {
  const port = await freePort();
  const env = { TASKFLOW_URL: `http://127.0.0.1:${port}`, ...more };
  const stop = new AbortController();
  const done = world.run(["attach", "serve", ...words], { env, signal: stop.signal });
  const end = (): Promise<RunResult> => {
    stop.abort(new TaskflowError("interrupted", "interrupted by SIGTERM", { exit: 143 }));
    return done;
  };
  running.push(end);
  await vi.waitFor(async () => expect((await fetch(`${env.TASKFLOW_URL}/_health`)).status).toBe(200), {
    timeout: 5000,
  });
  const link = async (...operands: string[]): Promise<string> => {
    const { status, stdout, stderr } = await world.run(["attach", "presign", ...operands], { env });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout.trim();
  };
  return { url: env.TASKFLOW_URL, env, end, link };
}

async function attach(name: string, content: string | Uint8Array): Promise<void> {
  await writeFile(path.join(world.cwd, name), content);
  expect((await world.run(["attach", "upload", "T-1", name])).status).toBe(0);
}

describe("serve", () => {
  test("prints its address on stdout, a line a request on stderr, and ends with the signal's status", async () => {
    await attach("a.txt", "words");
    const { url, end, link } = await serve();
    const signed = await link("T-1", "a.txt");
    expect(await (await fetch(signed)).text()).toBe("words");
    const { status, stdout, stderr } = await end();
    expect({ status, stdout }).toEqual({ status: 143, stdout: `${url}\n` });
    const lines = stderr.split("\n");
    expect(lines).toContain(`serving ${path.join(world.cwd, "uploads")}`);
    const line = lines.find((one) => one.includes("_a.txt")) ?? "";
    expect(line).toMatch(/^\d{4}-\S+Z GET \/_\/…\S{6} 200 5 \d+ms tasks\/T-1\/\S+_a\.txt$/);
    expect(line).toContain(signed.slice(-6));
    expect(stderr).not.toContain(signed.slice(-20));
  });

  test("makes the store where there is none, and says so", async () => {
    const { end } = await serve();
    expect((await end()).stderr).toContain(`created store ${path.join(world.cwd, "uploads")}`);
  });

  test("takes an upload by a link, which the command line then finds", async () => {
    const { env } = await serve(["-q"]);
    const presign = ["attach", "presign", "--put", "T-5", "new.txt", "--type", "text/plain"];
    const link = await world.run(presign, { env });
    expect(link).toMatchObject({ status: 0, stderr: "to be sent with the file: -H 'Content-Type: text/plain'\n" });
    const put = await fetch(link.stdout.trim(), {
      method: "PUT",
      body: "fresh",
      headers: { "Content-Type": "text/plain" },
    });
    expect(put.status).toBe(201);
    const shown = await world.json(["attach", "show", "T-5", "new.txt"], { env });
    expect(shown.document["items"][0]).toMatchObject({
      name: "new.txt",
      type: "text/plain",
      size: 5,
      sha256: createHash("sha256").update("fresh").digest("hex"),
    });
  });

  test("names itself where links are signed for another place, and takes a free port with --port 0", async () => {
    const stop = new AbortController();
    stop.abort(new TaskflowError("interrupted", "interrupted by SIGINT", { exit: 130 }));
    const { status, stdout, stderr } = await world.run(["attach", "serve", "--port", "0"], { signal: stop.signal });
    expect(status).toBe(130);
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*\n$/);
    expect(stderr).toContain("links begin with http://127.0.0.1:8787");
  });

  test("sees a key that is added while it runs, so that the next link is signed with it", async () => {
    await attach("a.txt", "words");
    const { link } = await serve();
    const before = await link("T-1", "a.txt");
    const file = path.join(world.home, ".config", "taskflow", "url-key");
    await writeFile(file, `${await readFile(file, "utf8")}${"cd".repeat(32)}\n`);
    const after = await link("T-1", "a.txt");
    expect((await fetch(before)).status).toBe(200);
    expect((await fetch(after)).status).toBe(200);
    await writeFile(file, `${"cd".repeat(32)}\n`);
    expect((await fetch(before)).status).toBe(403);
    expect((await fetch(after)).status).toBe(200);
    expect((await fetch(await link("T-1", "a.txt"))).status).toBe(200);
  });
});

describe("serve refuses", () => {
  const refused = async (words: readonly string[], env: Record<string, string> = {}) => {
    const { status, document } = await world.json(["attach", "serve", ...words], { env });
    return { status, code: String(document["errors"][0].code), hint: String(document["errors"][0].hint) };
  };

  test("a port that is in use, without a stack trace", async () => {
    const { url } = await serve();
    const { status, stderr } = await world.run(["attach", "serve"], { env: { TASKFLOW_URL: url } });
    expect(status).toBe(5);
    expect(stderr).toMatch(/^error: port \d+ of 127\.0\.0\.1 is in use\nhint: --port 0 /m);
  });

  test("an address that is none of this machine's", async () => {
    expect(await refused(["--port", "0", "--host", "192.0.2.1"])).toMatchObject({ status: 5, code: "bad_config" });
  });

  test.each([0o770, 0o757, 0o777, 0o720])("a folder of mode %o, which others can write", async (mode) => {
    const folder = path.join(world.cwd, "uploads");
    await mkdir(folder);
    await chmod(folder, mode);
    const { status, code, hint } = await refused(["--port", "0"]);
    expect({ status, code, hint }).toEqual({ status: 5, code: "permission", hint: `chmod go-w ${folder}` });
  });

  test("a key file that others can read, or that is empty", async () => {
    const file = path.join(world.cwd, "key");
    await writeFile(file, `${"ab".repeat(32)}\n`, { mode: 0o644 });
    await chmod(file, 0o644);
    const env = { TASKFLOW_URL_KEY_FILE: file };
    expect(await refused(["--port", "0"], env)).toMatchObject({ status: 5, code: "permission" });
    await writeFile(file, "");
    await chmod(file, 0o600);
    expect(await refused(["--port", "0"], env)).toMatchObject({ status: 5, code: "bad_config" });
  });

  test.each([
    [["x"], 2],
    [["--port", "65536"], 2],
    [["--port", "-1"], 2],
    [["--port", ""], 2],
    [["--host", ""], 2],
    [["--cors", "*"], 2],
    [["--cors", "null"], 2],
    [["--cors", "https://a.example/"], 2],
    [["--cors", "https://u@a.example"], 2],
    [["--cors", "ftp://a.example"], 2],
  ])("%j", async (words, status) => {
    expect((await world.run(["attach", "serve", ...words])).status).toBe(status);
  });
});

test.each([
  ["http://127.0.0.1:8787", 8787],
  ["http://localhost", 80],
  ["http://[::1]:99", 99],
  ["http://files.example.com:9000", 9000],
  ["http://files.example.com", 8787],
  ["https://files.example.com:8443", 8787],
])("serve for links that begin with %s listens on port %i", (url, port) => {
  expect(portOf(url)).toBe(port);
});

describe.skipIf(!hasTool("curl"))("what --curl prints works as it is printed", () => {
  const shell = async (line: string): Promise<string> => {
    const { stdout } = await promisify(execFile)("sh", ["-c", line], { cwd: world.cwd });
    return stdout;
  };

  test("to download, whatever the name is", async () => {
    const { link } = await serve(["-q"]);
    for (const name of ["it's [1] {a,b} #1.txt", "$(touch oops) `x`.txt", "ü 日本.txt"]) {
      await attach(name, name);
      await shell(`rm -f -- *.txt; ${await link("T-1", name, "--curl", "--filename", name)}`);
      expect(await readFile(path.join(world.cwd, name), "utf8")).toBe(name);
    }
  });

  test("to upload, with the type that it must have", async () => {
    const { link, env } = await serve(["-q"]);
    await writeFile(path.join(world.cwd, "it's [1].txt"), "x".repeat(2_000_000));
    await shell(await link("--put", "T-6", "it's [1].txt", "--type", "text/plain", "--size", "2000000", "--curl"));
    const { document } = await world.json(["attach", "list", "T-6", "-l"], { env });
    expect(document["items"]).toMatchObject([{ name: "it's [1].txt", size: 2_000_000, type: "text/plain" }]);
  });
});
