/** Whatever is typed and whatever files are called: never exit 1, never a stack trace, never a byte elsewhere. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ERRORS } from "../../src/errors.ts";
import { sha256 } from "./snapshot.ts";
import { createWorld, expectSchema, firstOf } from "./support.ts";

const anyName = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "binary-ascii", maxLength: 300 }),
  // UTF-16 at random, lone surrogates among it.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((codes) => String.fromCharCode(...codes)),
  fc
    .array(fc.constantFrom("..", ".", "/", "\\", "a", " ", "CON", ".txt", "\u0000", "~", "-"), { maxLength: 8 })
    .map((parts) => parts.join("")),
);

/** Everything below the folder that is no file of the store or of `out/`. */
function strays(root: string): string[] {
  return readdirSync(root, { recursive: true })
    .map(String)
    .filter((name) => !/^(home|project(\/(\.git|uploads|out)(\/|$).*)?)$/s.test(name));
}

describe("any name", () => {
  test("gives the same bytes back, its true name in show --json, and nothing outside of the store", async () => {
    const { json, run, cwd, store } = await createWorld();
    const root = path.dirname(cwd);
    await fc.assert(
      fc.asyncProperty(anyName, fc.uint8Array({ maxLength: 200 }), async (name, bytes) => {
        const argv = ["attach", "upload", "T-1", "-", "--allow-empty", `--name=${name}`];
        const uploaded = await json(argv, { stdin: bytes });
        if (uploaded.status !== 0) {
          // Empty, a folder's, with a NUL, or with more bytes than metadata takes.
          expect([name, uploaded.status]).toEqual([name, 2]);
          expect(/^\.{0,2}$|\0/.test(name) || uploaded.stderr.includes("2048")).toBe(true);
          return;
        }
        const { key } = firstOf(uploaded.document);
        expect(firstOf((await json(["attach", "show", key])).document)).toMatchObject({
          name: name.normalize("NFC"),
          size: bytes.length,
          sha256: sha256(bytes),
        });
        expect(Buffer.from(readFileSync(path.join(store, key))).equals(bytes)).toBe(true);
        rmSync(path.join(cwd, "out"), { recursive: true, force: true });
        const { document } = await json(["attach", "download", key, "-o", "out/"]);
        const { path: written, verified } = firstOf(document);
        expect([path.relative(path.join(cwd, "out"), written as string).startsWith(".."), verified]).toEqual([
          false,
          "sha256",
        ]);
        expect(Buffer.from(readFileSync(written as string)).equals(bytes)).toBe(true);
        // By its name too, unless the name reads as something else; `-` does always.
        if (name === "-") return;
        const byName = await run(["attach", "show", "--task", "T-1", "--", name]);
        expect([0, 2]).toContain(byName.status);
      }),
      { numRuns: 80 },
    );
    expect(strays(root)).toEqual([]);
  });
});

const WORDS = `attach config help upload list ls show download get delete rm undelete restore set unset path
  T-1 T-2 a.txt missing - -- . .. ~ T-1/a.txt tasks/T-1/x uploads/tasks ./uploads ./elsewhere/ s3://bucket
  s3://bucket/tasks/1/x --task --name --type --note --meta --tag --storage-class -r --replace -n --all --purge -y --yes
  --ignore-missing --since --sort --limit --after -l --deleted -o --output --if-exists --no-verify --store --region
  --endpoint --profile --ca-file --json --ndjson -q --debug --no-color -h --help --version --origin --allow-empty
  --limit=1 --sort=size --task=T-1 --store=./uploads --concurrency=2 0 1 -1 1e9 7d 2026-11-23 newest newest:1:k name
  key skip rename a=b max-size 1K`.split(/\s+/);

const word = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("", ...WORDS) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.replaceAll("/", "")) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: "binary-ascii", maxLength: 12 }).map((text) => `--${text.replaceAll("/", "")}`),
  },
);
const command = fc
  .constantFrom(
    "",
    "attach",
    "config",
    ...["upload", "list", "show", "download", "delete", "undelete"].map((name) => `attach ${name}`),
    ...["list", "get", "set"].map((name) => `config ${name}`),
  )
  .map((text) => text.split(" ").filter((part) => part !== ""));
const variables = fc.dictionary(
  fc.constantFrom(
    "USE_S3",
    "TASKFLOW_MAX_SIZE",
    "TASKFLOW_ALLOWED_TYPES",
    "TASKFLOW_USER",
    "CI",
    "FORCE_COLOR",
    "TERM",
  ),
  fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom("true", "false", "1", "1K", "image/*", "dumb")),
  { maxKeys: 2 },
);

/** Not of this run: what the words ask of S3 needs a bucket, and a network. */
const STATUSES = new Set([0, 7, ...Object.values(ERRORS).map(({ exit }) => exit)].filter((exit) => exit !== 1));

describe("any argv", () => {
  test("ends with a status of the table, says what is wrong, and is JSON where it says so", async () => {
    const world = await createWorld();
    const root = path.dirname(world.cwd);
    await world.write("a.txt");
    await world.attach("T-1", "a.txt");
    await fc.assert(
      fc.asyncProperty(
        command,
        fc.array(word, { maxLength: 7 }),
        variables,
        fc.boolean(),
        async (start, rest, env, terminal) => {
          const argv = [...start, ...rest];
          const { status, stdout, stderr } = await world.run(argv, { env, terminal, stdin: "tasks/T-1/x\ny\n" });
          expect([argv, status, STATUSES.has(status)]).toEqual([argv, status, true]);
          if (status !== 0 && !terminal) expect(stderr).toMatch(/^error: ./m);
          if (stdout.startsWith('{"schema"')) expectSchema(JSON.parse(stdout));
          else if (stdout.startsWith('{"event"')) {
            for (const line of stdout.trimEnd().split("\n")) expectSchema(JSON.parse(line));
          } else if (
            status !== 0 &&
            argv.indexOf("--json") >= 0 &&
            !argv.includes("--") &&
            !argv.includes("--ndjson")
          ) {
            // Unless it was taken for the value of the option before it.
            expect(argv[argv.indexOf("--json") - 1]).toMatch(/^-/);
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(readdirSync(root).toSorted()).toEqual(["home", "project"]);
  }, 60_000);
});
