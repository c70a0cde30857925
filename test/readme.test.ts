/** Every session of the README is run as a person would, on a terminal, and must print what it shows. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { ERRORS } from "../src/errors.ts";
import { SETTING_NAMES, setting } from "../src/config/settings.ts";
import { hasTool } from "./tools.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const README = readFileSync(path.join(ROOT, "README.md"), "utf8");

interface Session {
  readonly heading: string;
  readonly steps: readonly { readonly command: string; readonly shown: readonly string[] }[];
}

const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), "taskflow-readme-")));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** All sessions share one folder and go on where the last one ended, as the reader does. */
function prepare(): { cwd: string; env: NodeJS.ProcessEnv } {
  const cwd = path.join(scratch, "project");
  const home = path.join(scratch, "home");
  const bin = path.join(scratch, "bin");
  for (const folder of [path.join(cwd, ".git"), path.join(cwd, "photos", "site"), home, bin]) {
    mkdirSync(folder, { recursive: true });
  }
  writeFileSync(path.join(cwd, "report.pdf"), "%PDF-1.7\n% a report\n");
  writeFileSync(path.join(cwd, "notes.txt"), "remember the milk\n");
  writeFileSync(path.join(cwd, "photos", "door.txt"), "a door\n");
  writeFileSync(path.join(cwd, "photos", "site", "roof.txt"), "a roof\n");
  writeFileSync(path.join(bin, "taskflow"), `#!/bin/sh\nexec ${process.execPath} ${ROOT}/bin/taskflow "$@"\n`, {
    mode: 0o755,
  });
  const PATH = `${bin}:${process.env.PATH ?? ""}`;
  return {
    cwd,
    env: {
      PATH,
      HOME: home,
      TERM: "dumb",
      NO_COLOR: "1",
      TASKFLOW_USER: "ada",
      TASKFLOW_URL: `http://127.0.0.1:${freePort()}`,
      TZ: "UTC",
      LANG: "C.UTF-8",
    },
  };
}

const world = prepare();

for (const { heading, steps } of sessionsOf(README)) {
  test.skipIf(!hasTool("script"))(`the README's session under "${heading}" prints what it shows`, () => {
    for (const { command, shown } of steps) {
      const printed = onTerminal(command);
      expect(printed, command).toMatch(patternOf(shown));
    }
  });
}

test("the README's tables name every setting and every error code as the program has them", () => {
  for (const name of SETTING_NAMES) {
    for (const variable of setting(name).variables) expect(README).toContain(`\`${variable}\``);
  }
  for (const [code, { exit }] of Object.entries(ERRORS)) {
    if (code === "interrupted") continue;
    const row = README.split("\n").find((line) => line.startsWith(`| ${exit} |`)) ?? "";
    expect(row, code).toContain(`\`${code}\``);
  }
});

test("the README shows a session for every command that can be typed", () => {
  const commands = [...README.matchAll(/taskflow attach ([a-z]+(?: status)?)/g)].map(([, command]) => command);
  const listed = onTerminal("taskflow attach --help")
    .split("Commands:")[1]
    ?.match(/^ {2}([a-z]+)/gm)
    ?.map((word) => word.trim());
  expect(listed?.length).toBeGreaterThan(5);
  for (const command of listed ?? []) expect(commands).toContain(command);
});

function onTerminal(command: string): string {
  const script = `stty cols 100 2>/dev/null; ${command}`;
  const { stdout } = spawnSync("script", ["-qec", `bash -c ${quote(script)}`, "/dev/null"], {
    cwd: world.cwd,
    env: world.env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return stdout.replaceAll("\r\n", "\n").trim();
}

/** Of this moment: a link names the port before `serve` listens on it. */
function freePort(): number {
  const ask =
    'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })';
  return Number(spawnSync(process.execPath, ["-e", ask], { encoding: "utf8" }).stdout);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `…` stands for anything within a line; a line of `…` alone for any lines. */
function patternOf(shown: readonly string[]): RegExp {
  const lines = shown.map((line) =>
    line.trim() === "…"
      ? "[^]*"
      : line
          .trimEnd()
          .split("…")
          .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
          .join(".*?"),
  );
  return new RegExp(`^${lines.join("\n")}$`);
}

function sessionsOf(text: string): Session[] {
  const sessions: Session[] = [];
  let heading = "";
  let block: string[] | null = null;
  for (const line of text.split("\n")) {
    if (block === null && line.startsWith("#")) heading = line.replace(/^#+ /, "");
    if (block === null && line === "```console") block = [];
    else if (block !== null && line === "```") {
      sessions.push({ heading: `${heading} ${sessions.length + 1}`, steps: stepsOf(block) });
      block = null;
    } else block?.push(line);
  }
  return sessions;
}

function stepsOf(lines: readonly string[]): Session["steps"] {
  const steps: { command: string; shown: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), shown: [] });
    else if (line.startsWith("> ") && steps.at(-1)?.shown.length === 0) {
      const last = steps.at(-1);
      if (last !== undefined) last.command += `\n${line.slice(2)}`;
    } else steps.at(-1)?.shown.push(line);
  }
  return steps;
}
