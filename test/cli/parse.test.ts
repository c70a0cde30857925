/** argv, and what came of it. */
import { describe, expect, test } from "vitest";
import { createWorld } from "./support.ts";
import type { World } from "./support.ts";

async function prepared(): Promise<World> {
  const world = await createWorld();
  await world.write("a.txt", "a");
  await world.write("-dash", "d");
  await world.write("uploads/tasks/T-1/abcdef01_x.txt");
  await world.write("uploads/tasks/T-1/abcdef02_--all");
  return world;
}

describe("what is understood", () => {
  test.each<[string[], RegExp]>([
    [["attach", "list", "T-1"], /x\.txt/],
    [["attach", "ls", "T-1"], /x\.txt/],
    [["attach", "list", "--task", "T-1"], /x\.txt/],
    [["attach", "list", "--task=T-1"], /x\.txt/],
    [["attach", "list", "T-1", "--sort", "name", "--limit=1"], /^tasks\/T-1\/\S+_--all\t[^\n]*\n$/],
    [["attach", "--store", "./uploads", "list", "T-1"], /x\.txt/],
    [["--store=./uploads", "attach", "list", "T-1"], /x\.txt/],
    [["--store=./elsewhere", "attach", "list", "T-1", "--store", "./uploads/"], /x\.txt/],
    [["attach", "list", "--store", "./elsewhere", "--store", "./uploads"], /x\.txt/],
    [["attach", "list", "-q", "T-1"], /x\.txt/],
    [["attach", "list", "-lq", "T-1"], /x\.txt/],
    [["attach", "upload", "T-1", "a.txt"], /_a\.txt\n$/],
    [["attach", "upload", "--note", "n", "T-1", "--meta=a=b=c", "a.txt", "-n"], /_a\.txt\n$/],
    [["attach", "upload", "T-1", "-rn", "a.txt"], /_a\.txt\n$/],
    [["attach", "upload", "-n", "T-1", "--", "-dash"], /__dash\n$/],
    [["attach", "upload", "-n", "--", "T-1", "-dash"], /__dash\n$/],
    [["attach", "upload", "-n", "T-1", "./-dash"], /__dash\n$/],
    [["attach", "upload", "-n", "T-1", "a.txt", "--note", "-starts-with-a-dash"], /_a\.txt\n$/],
    [["attach", "upload", "-n", "T-1", "a.txt", "--note="], /_a\.txt\n$/],
    [["attach", "show", "T-1", "--", "--all"], /^name\t--all\n/],
    [["attach", "show", "--task", "T-1", "--", "--all"], /^name\t--all\n/],
    [["attach", "get", "T-1", "x.txt", "-o", "out/"], /^out\/x\.txt\n$/],
    [["attach", "download", "T-1", "x.txt", "-oout/"], /^out\/x\.txt\n$/],
    [["attach", "download", "T-1", "x.txt", "--output=out/"], /^out\/x\.txt\n$/],
    [["attach", "rm", "T-1", "x.txt", "-ny"], /_x\.txt\n$/],
    [["attach", "restore", "T-1", "--all"], /^$/],
    [["config", "list"], /^store\t\n/],
    [["config", "get", "AWS_ENDPOINT_URL", "--origin"], /^$/],
    [["--version"], /^taskflow \d+\.\d+\.\d+/],
    [["--no-color", "--version"], /^taskflow \d/],
    [["--version", "attach", "list"], /^taskflow \d/],
    [["--store", "./x", "--version"], /^taskflow \d/],
  ])("%j", async (argv, stdout) => {
    const { run } = await prepared();
    const result = await run(argv);
    expect(result.stdout).toMatch(stdout);
    expect([result.status, result.stderr]).toEqual([argv.includes("AWS_ENDPOINT_URL") ? 3 : 0, expect.any(String)]);
  });
});

describe("what is refused with 2, one line that says why and one that says how", () => {
  test.each<[string[], RegExp]>([
    [[], /^error: taskflow takes a command: attach, config, help\nhint: taskflow --help\n$/],
    [["attach"], /^error: taskflow attach takes a command: upload, list, /],
    [["config"], /^error: taskflow config takes a command: list, get, set, unset, path\n/],
    [["atach"], /^error: unknown command 'atach' \(Did you mean attach\?\)\nhint: taskflow --help\n$/],
    [["attach", "uplod", "T-1", "a.txt"], /unknown command 'uplod'.*upload.*\nhint: taskflow attach --help\n$/],
    [["upload", "T-1", "a.txt"], /unknown command 'upload'/],
    [["attach", "list", "--bogus"], /^error: unknown option '--bogus'\nhint: taskflow attach list --help\n$/],
    [["attach", "--bogus", "list"], /unknown option '--bogus'/],
    [["--bogus"], /unknown option '--bogus'\nhint: taskflow --help\n$/],
    [["attach", "list", "--limt", "3"], /unknown option '--limt' \(Did you mean --limit\?\)/],
    [["attach", "list", "-z"], /unknown option '-z'/],
    [["attach", "list", "--limit"], /option '--limit <n>' argument missing\nhint: taskflow attach list --help/],
    [["attach", "list", "--limit", "ten"], /^error: --limit=ten: not a whole number\n/],
    [["attach", "list", "--sort", "up"], /^error: --sort "up": not one of newest, oldest, name, size, key\n/],
    [["attach", "list", "--json=yes"], /--json/],
    [["attach", "list", "--store="], /store/],
    [["attach", "list", "--store", "uploads"], /hint: write \.\/uploads for the folder, s3:\/\/uploads for the bucket/],
    [["attach", "list", "T-1", "T-2"], /one TASK at most/],
    [["attach", "list", "--version"], /unknown option '--version'/],
    [["attach", "upload"], /takes TASK FILE\.\.\.\nhint: for example\n +taskflow attach upload T-42 report\.pdf/],
    [["attach", "upload", "T-1"], /name the files to attach\nhint: or - to attach what stdin brings/],
    [["attach", "upload", "a.txt"], /name the files to attach/],
    [["attach", "upload", "T-1", "a.txt", "--concurrency", "0"], /--concurrency=0: not from 1 to 256/],
    [["attach", "upload", "T-1", "a.txt", "--task", ""], /--task is empty\nhint: is a variable of the script unset\?/],
    [["attach", "show"], /takes TASK ITEM\.\.\.\nhint: for example\n/],
    [["attach", "show", "s3://bucket/tasks/T-1/x"], /is in a bucket, but the store is a folder/],
    [["attach", "show", "s3://"], /is in a bucket/],
    [["attach", "show", "/x"], /names no task/],
    [["attach", "show", "T-1/"], /names no item/],
    [["attach", "show", "../../etc/passwd"], /invalid task id/],
    [["attach", "download", "T-1", "--if-exists", "ask"], /not one of fail, skip, rename, overwrite/],
    [["attach", "download", "T-1", "-o"], /argument missing/],
    [["attach", "delete"], /takes TASK ITEM/],
    [["attach", "delete", "--all"], /takes TASK ITEM/],
    [
      ["attach", "undelete", "T-1", "--since", "later"],
      /^error: --since=later: neither a date nor an age\nhint: write /,
    ],
    [["config", "get"], /takes NAME/],
    [["config", "get", "url", "token"], /2 operands, where 1 /],
    [["config", "path", "x"], /1 operands?, where 0 /],
    [["config", "get", "regoin"], /no setting "regoin"\nhint: did you mean region\?/],
    [["help", "nothing"], /no command or topic 'nothing'\nhint: topics: errors, environment, exit-codes, json, cors/],
    [["-h=x"], /-h=x|-=|unknown/],
  ])("%j", async (argv, message) => {
    const { run } = await prepared();
    const { status, stdout, stderr } = await run(argv);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^error: .+\n(hint: .+\n( +.+\n)*)?$/);
  });
});
