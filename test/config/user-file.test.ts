import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, unlinkSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { openUserFile, userFilePath, userFolder, type UserFile } from "../../src/config/user-file.ts";
import { failure, project, UID } from "./project.ts";

const NAME = ".config/taskflow/config.json";

function open(home: string, env: Record<string, string> = {}): UserFile {
  return openUserFile({ env, home, uid: UID, platform: process.platform });
}

function mode(file: string): number {
  return statSync(file).mode & 0o777;
}

describe("where the user file is", () => {
  test.each([
    [{ XDG_CONFIG_HOME: "/xdg" }, "/home/ada", "linux", "/xdg/taskflow/config.json"],
    [{ XDG_CONFIG_HOME: "relative" }, "/home/ada", "linux", "/home/ada/.config/taskflow/config.json"],
    [{ XDG_CONFIG_HOME: "" }, "/home/ada", "darwin", "/home/ada/.config/taskflow/config.json"],
    [{ XDG_CONFIG_HOME: "/xdg" }, null, "linux", "/xdg/taskflow/config.json"],
    [{ APPDATA: "/roaming", XDG_CONFIG_HOME: "/xdg" }, "/home/ada", "win32", "/roaming/taskflow/config.json"],
    [{}, "/home/ada", "win32", "/home/ada/AppData/Roaming/taskflow/config.json"],
    [{}, null, "linux", null],
  ] as const)("%j, HOME %s on %s: %s", (env, home, platform, expected) => {
    expect(userFilePath({ env, home, platform })).toBe(expected);
    expect(userFolder({ env, home, platform })).toBe(expected === null ? null : path.dirname(expected));
  });

  test("without any place it is `bad_config`", async () => {
    const error = await failure(() => openUserFile({ env: {}, home: null, uid: UID, platform: "linux" }));
    expect(error).toMatchObject({ code: "bad_config", hint: "set HOME or XDG_CONFIG_HOME" });
  });
});

describe("config set, get and unset", () => {
  test("keep a value, by name or by variable, and nothing else changes", async () => {
    const { home, settings } = project();
    const file = open(home);
    expect(file.all().values.size).toBe(0);
    await file.set("max-size", "20M");
    await file.set("AWS_REGION", "eu-central-1");
    expect(file.get("TASKFLOW_MAX_SIZE")).toBe("20M");
    expect((await settings()).get("region")).toBe("eu-central-1");
    expect(await file.unset("region")).toBe(true);
    expect(await file.unset("region")).toBe(false);
    expect(JSON.parse(readFileSync(file.path, "utf8"))).toEqual({ "max-size": "20M" });
  });

  test.skipIf(UID === null)("write 0600 in a folder of 0700 under any umask", async () => {
    for (const umask of [0o000, 0o022, 0o777]) {
      const { home } = project();
      mkdirSync(home, { recursive: true });
      const before = process.umask(umask);
      try {
        await open(home).set("user", "ada");
      } finally {
        process.umask(before);
      }
      expect(mode(path.join(home, NAME))).toBe(0o600);
      expect(mode(path.join(home, ".config/taskflow"))).toBe(0o700);
    }
  });

  test.skipIf(UID === null)("make a file that others could read private", async () => {
    const { home, write } = project();
    const file = write(NAME, '{"user":"ada"}');
    chmodSync(file, 0o644);
    await open(home).set("region", "eu-west-1");
    expect(mode(file)).toBe(0o600);
  });

  test("unset leaves a file that is not there alone", async () => {
    const { home } = project();
    expect(await open(home).unset("user")).toBe(false);
    expect(readdirSync(home)).toEqual(["repo"]);
  });

  test.each([
    ["max-size", "10MB", "max-size=10MB: not a size"],
    ["use-s3", "flase", "use-s3=flase: neither true nor false"],
    ["ca-file", "ca.pem", "ca-file=ca.pem: a relative path"],
    ["store", "./files", "store=./files: a relative path"],
    ["user", "", "user=: empty"],
  ])("a bad value (%s=%s) is `usage`, and nothing is written", async (name, text, message) => {
    const { home } = project();
    expect(await failure(() => open(home).set(name, text))).toMatchObject({ code: "usage", message });
    expect(readdirSync(home)).toEqual(["repo"]);
  });

  test.each(["token", "TASKFLOW_TOKEN", "AWS_SECRET_ACCESS_KEY", "access-key-id", "session-token"])(
    "a secret (%s) is `usage`, with the reason",
    async (name) => {
      const { home } = project();
      const error = await failure(() => open(home).set(name, "canary"));
      expect(error.code).toBe("usage");
      expect(error.message).toContain("holds no secrets");
      expect(`${error.message} ${error.hint}`).not.toContain("canary");
    },
  );

  test("an unknown name is `usage`", async () => {
    const { home } = project();
    const error = await failure(() => open(home).set("max_size", "1"));
    expect(error).toMatchObject({ code: "usage", hint: "did you mean max-size?" });
  });

  test("of several processes at once none is lost", async () => {
    const { home } = project();
    const file = path.join(home, NAME);
    const program = path.join(home, "write.cjs");
    await build({
      entryPoints: [fileURLToPath(new URL("../../src/config/write-user-file.ts", import.meta.url))],
      outfile: program,
      bundle: true,
      platform: "node",
      format: "cjs",
    });
    // All of them begin at the same time, or each would be done before the next has started.
    const begin = Date.now() + 1500;
    const code = `const { writeUserFile } = require(${JSON.stringify(program)});
      setTimeout(async () => {
        for (const n of [1, 2, 3, 4]) await writeUserFile(${JSON.stringify(file)}, process.argv[1] + n, "x");
      }, ${begin} - Date.now());`;
    await Promise.all(["a", "b", "c"].map((name) => promisify(execFile)(process.execPath, ["-e", code, name])));
    const names = ["a", "b", "c"].flatMap((name) => [1, 2, 3, 4].map((n) => `${name}${n}`));
    expect(Object.keys(JSON.parse(readFileSync(file, "utf8")) as object).toSorted()).toEqual(names);
  });

  test("a writer waits for the one before it", async () => {
    const { home, write } = project();
    const lock = write(`${NAME}.lock`);
    const waiting = open(home).set("user", "ada");
    expect(await Promise.race([waiting, setTimeout(200, "waits")])).toBe("waits");
    expect(open(home).get("user")).toBeNull();
    unlinkSync(lock);
    await waiting;
    expect(open(home).get("user")).toBe("ada");
  });

  test("a lock that nobody removes is `io`, and its name is told", async () => {
    const { home, write } = project();
    const lock = write(`${NAME}.lock`);
    const error = await failure(() => open(home).set("user", "ada"));
    expect(error).toMatchObject({ code: "io", hint: "if none is running, remove that file" });
    expect(error.message).toContain(lock);
  });

  test("of several at once none is lost, and the file is whole all the time", async () => {
    const { home } = project();
    const values = { user: "ada", region: "eu-west-1", "max-size": "1K", "retry-for": "5m", url: "https://x.example" };
    await open(home).set("profile", "work");
    const writes = Object.entries(values).map(([name, text]) => open(home).set(name, text));
    const whole = Promise.all(writes).then(() => "done");
    for (;;) {
      expect(open(home).get("profile")).toBe("work");
      if ((await Promise.race([whole, new Promise((resolve) => setImmediate(resolve))])) === "done") break;
    }
    expect(Object.fromEntries(open(home).all().values)).toEqual({ ...values, profile: "work" });
    expect(readdirSync(path.join(home, ".config/taskflow"))).toEqual(["config.json"]);
  });
});

describe("a user file that somebody edited", () => {
  test.each([
    ["{", "it is not JSON"],
    ["", "it is not JSON"],
    ["[]", "it is not a JSON object"],
    ['"text"', "it is not a JSON object"],
    ['{"user":{}}', "user is neither text nor a number, true or false"],
  ])("%j is `bad_config` and names the file", async (content, reason) => {
    const { home, write, settings } = project();
    const file = write(NAME, content);
    const message = `cannot read ${file}: ${reason}`;
    expect(await failure(() => settings())).toMatchObject({ code: "bad_config", message });
    expect(await failure(() => open(home).all())).toMatchObject({ code: "bad_config", message });
  });

  test("is not written over while it is corrupt", async () => {
    const { home, write } = project();
    const file = write(NAME, '{"user":"ada",');
    expect(await failure(() => open(home).set("region", "eu-west-1"))).toMatchObject({ code: "bad_config" });
    expect(readFileSync(file, "utf8")).toBe('{"user":"ada",');
  });

  test("may hold true, numbers and lists as JSON has them", async () => {
    const { write, settings } = project();
    write(NAME, '{"use-s3":false,"max-size":1024,"allowed-types":["image/*","text/plain"]}');
    const { get } = await settings();
    expect(get("use-s3")).toBe(false);
    expect(get("max-size")).toBe(1024);
    expect(get("allowed-types")).toEqual(["image/*", "text/plain"]);
  });

  test("with unknown names or secrets in it warns, reads neither, and lets both be removed", async () => {
    const { home, write, settings } = project();
    const file = write(NAME, '{"max_size":"1K","token":"canary","user":"ada"}');
    const { warnings, get } = await settings();
    expect(warnings).toEqual([
      `${file}: no setting "max_size", did you mean max-size?`,
      `${file}: token is not read from it; set TASKFLOW_TOKEN in the environment`,
    ]);
    expect(get("token")).toBeNull();
    expect(get("user")).toBe("ada");
    expect(await open(home).unset("max_size")).toBe(true);
    expect(await open(home).unset("token")).toBe(true);
    expect((await settings()).warnings).toEqual([]);
  });

  test.skipIf(UID === null)("that everyone may write is neither read nor written", async () => {
    const { home, write, settings } = project();
    const file = write(NAME, '{"store":"/evil"}');
    chmodSync(file, 0o666);
    const { warnings, get } = await settings();
    expect(warnings).toEqual([`${file} is not read: everyone may write it; chmod o-w it to use it`]);
    expect(get("store")).toBeNull();
    expect(await failure(() => open(home).set("user", "x"))).toMatchObject({ code: "permission", exit: 5 });
  });
});
