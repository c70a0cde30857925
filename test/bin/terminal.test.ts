import { readFileSync } from "node:fs";
import { mkdir, rm, truncate, writeFile } from "node:fs/promises";
import stringWidth from "string-width";
import { beforeEach, describe, expect, test } from "vitest";
import { hasTool } from "../tools.ts";
import { createSandbox, partsIn, until } from "./support.ts";
import type { Sandbox } from "./support.ts";

const ESC = "\u001b";
const HIDE_CURSOR = `${ESC}[?25l`;
const SHOW_CURSOR = `${ESC}[?25h`;
const MIB = 1024 * 1024;

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox();
});

interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  /** A command whose output is typed in. */
  readonly typist?: string;
}

/** Runs a command on a terminal of its own; gives all bytes that the terminal got, and the command's status. */
async function runOnTerminal(command: string, { env, columns = 80, typist = ":" }: TerminalOptions) {
  await writeFile(sandbox.path("command.sh"), `stty cols ${columns} rows 24\n${command}\n`);
  await rm(sandbox.path("seen"), { force: true });
  return await sandbox.bash(`(${typist}) | script -qfec "bash command.sh" seen`, {
    env: { TERM: "xterm-256color", ...env },
  });
}

async function onTerminal(command: string, options: TerminalOptions = {}): Promise<string> {
  return (await runOnTerminal(command, options)).stdout;
}

/** Waits, in the shell, until the terminal has shown this. */
function untilSeen(text: string): string {
  return `until grep -aqs ${JSON.stringify(text)} seen; do sleep 0.02; done`;
}

async function bigFile(): Promise<void> {
  await writeFile(sandbox.path("big.img"), "");
  await truncate(sandbox.path("big.img"), 64 * 1024 * MIB);
}

/** What stands on the lines in the end: the last text written over each. */
function screen(bytes: string): string[] {
  return bytes
    .split("\r\n")
    .map((line) => (line.split(`${ESC}[1G${ESC}[0K`).at(-1) ?? "").replaceAll(/\u001b\[[0-9;?]*[a-z]/gi, "").trimEnd());
}

/** An upload of a pipe that pauses, until something has happened. */
function slowUpload(pause: string): string {
  return `(head -c 3000000 /dev/zero; ${pause}) | taskflow attach upload T-1 - --name slow.bin`;
}

const LONG_ENOUGH = "sleep 0.6";

describe.skipIf(!hasTool("script"))("on a terminal", () => {
  test("an upload shows how far it is on one line, and takes the line and the hidden cursor back", async () => {
    const bytes = await onTerminal(slowUpload(untilSeen("slow.bin  2.9 MiB")));
    expect(bytes).toContain("attaching slow.bin  2.9 MiB");
    expect(bytes).toContain(HIDE_CURSOR);
    expect(bytes.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(bytes.lastIndexOf(HIDE_CURSOR));
    const lines = screen(bytes);
    expect(lines.join("\n")).not.toContain("attaching");
    expect(lines).toContainEqual(expect.stringMatching(/^[0-9a-f]{8} {2}slow\.bin {2}2\.9 MiB {2}.* STANDARD$/));
    expect(lines).toContainEqual(expect.stringMatching(/^attached 1 file \(2\.9 MiB\) to T-1 in /));
  });

  test.each([
    ["CI is set", { CI: "true" }],
    ["TERM is dumb", { TERM: "dumb" }],
  ])("nothing moves where %s", async (_, env) => {
    const bytes = await onTerminal(slowUpload(LONG_ENOUGH), { env: { NO_COLOR: "1", ...env } });
    expect(bytes).not.toContain(ESC);
    expect(bytes).not.toContain("attaching");
    expect(bytes).toContain("attached 1 file");
  });

  test("nothing moves and nobody is told with --quiet", async () => {
    const bytes = await onTerminal(`${slowUpload(LONG_ENOUGH)} --quiet`, { env: { NO_COLOR: "1" } });
    expect(bytes).toMatch(/^ID {8}NAME[^\n]*\n[^\n]*\n$/);
  });

  test("an interrupted upload gives the line and the cursor back", async () => {
    await bigFile();
    const bytes = await onTerminal("taskflow attach upload T-1 big.img; echo status $?", {
      typist: `${untilSeen("attaching big.img  ")}; printf '\\003'; ${untilSeen("status")}`,
    });
    expect(bytes.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(bytes.lastIndexOf(HIDE_CURSOR));
    const lines = screen(bytes);
    expect(lines.join("\n")).toMatch(/^error: interrupted by SIGINT\nstatus 130/m);
    expect(lines.join("\n")).not.toContain("attaching");
  });

  test("a list is a table as wide as the terminal, with a bold head", async () => {
    await mkdir(sandbox.path("uploads/tasks/T-1"), { recursive: true });
    const names = [
      "report.pdf",
      `${"long-name-".repeat(18)}.txt`,
      "emoji 🎉🎊🎈🎁🎂🎃🎄🎆.png",
      "日本語のとても長いファイル名です.txt",
    ];
    for (const [at, name] of names.entries()) await writeFile(sandbox.path(`uploads/tasks/T-1/abc12${at}_${name}`), "");
    for (const columns of [40, 80, 160]) {
      const lines = screen(await onTerminal("taskflow attach list T-1", { columns })).slice(0, -1);
      expect(lines).toHaveLength(5);
      expect(lines[0]).toMatch(/^ID +NAME +SIZE/);
      for (const line of lines) {
        expect(stringWidth(line)).toBeLessThanOrEqual(columns);
        expect(line).not.toContain("\uFFFD");
      }
    }
    expect(await onTerminal("taskflow attach list T-1")).toContain(`${ESC}[1mID${ESC}[22m`);
    for (const plain of ["NO_COLOR=1 taskflow attach list T-1", "taskflow attach list T-1 --no-color"]) {
      expect(await onTerminal(plain)).not.toContain(ESC);
    }
  });

  test("a terminal that goes away stops an upload cleanly", async () => {
    await bigFile();
    const terminal = sandbox.launch(["script", "-qec", "taskflow attach upload T-1 big.img 2> said", "/dev/null"]);
    const staging = sandbox.path("uploads/.taskflow/tmp");
    await until("the upload is under way", () => partsIn(staging).length === 1);
    terminal.child.kill("SIGKILL");
    await until("the part is gone", () => partsIn(staging).length === 0);
    await terminal.finished;
    await until("it has said why", () => readFileSync(sandbox.path("said"), "utf8").includes("interrupted by SIGHUP"));
  });

  test("at a question no leaves everything, and Ctrl-C ends on a line of its own", async () => {
    await writeFile(sandbox.path("a.txt"), "a");
    await sandbox.run(["attach", "upload", "T-1", "a.txt"]);
    const purge = "taskflow attach delete T-1 a.txt --purge";
    const refused = await runOnTerminal(purge, { typist: `${untilSeen("y/N")}; echo n; ${untilSeen("error")}` });
    expect(refused.stdout).toContain("This can't be undone. [y/N]");
    expect(refused.status).toBe(9);
    const typist = `${untilSeen("y/N")}; printf '\\003'; ${untilSeen("error")}`;
    const interrupted = await runOnTerminal(purge, { typist });
    expect(screen(interrupted.stdout)).toContain("error: interrupted by SIGINT");
    expect(interrupted.status).toBe(130);
    expect((await sandbox.run(["attach", "list", "T-1"])).stdout).toContain("a.txt");
  });
});

describe("off a terminal", () => {
  test("there is not one escape byte, whatever is done and whatever fails", async () => {
    await sandbox.bash("head -c 3000000 /dev/zero > a.bin; printf 'x' > $'esc\\e[31mred.txt'");
    const all = await sandbox.bash(
      `exec 2>&1; ${slowUpload(LONG_ENOUGH)}
       taskflow attach upload T-1 a.bin $'esc\\e[31mred.txt' nothing.txt
       taskflow attach list; taskflow attach list -l; taskflow attach show T-1 a.bin; taskflow attach list --deleted
       taskflow attach download T-1 -o out/; taskflow attach delete T-1 --all; taskflow attach undelete T-1 --all
       taskflow attach show T-1 $'esc\\e[31m'; taskflow nonsense; taskflow --help; taskflow attach upload --help
       taskflow config list --origin`,
    );
    expect(all.stdout).toContain("attached 1 file");
    expect(all.stdout).not.toContain(ESC);
  });

  test("FORCE_COLOR asks for colours all the same, NO_COLOR wins over it", async () => {
    const { stderr } = await sandbox.run(["attach", "list"], { env: { FORCE_COLOR: "1" } });
    expect(stderr).toContain(`${ESC}[31merror:${ESC}[39m`);
    const none = await sandbox.run(["attach", "list"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } });
    expect(none.stderr).not.toContain(ESC);
  });
});
