/** `doctor` of itself and of a folder. */
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, readdir, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { CHECK_IDS } from "../../src/storage/check-ids.ts";
import { treeOf } from "../storage/fs/folders.ts";
import { examine } from "./doctor.ts";
import { createWorld } from "./support.ts";
import type { World } from "./support.ts";

const PART = "0b9c6f0e-0000-4000-8000-000000000001.part";
const CLAIM = "0b9c6f0e-0000-4000-8000-000000000002_crashed.pdf";
const CLAIMED = /^\.taskflow\/quarantine\/claim-[0-9a-f]{16}\.json$/;
const OWN = ["node", "settings", "store"];
const TOMORROW = new Date(Date.now() + 86_400_000);
const DAYS_AGO = new Date(Date.now() - 2 * 86_400_000);

/** A store with a live and a deleted attachment, on a file system that doesn't matter here. */
async function filled(): Promise<World> {
  const world = await createWorld();
  await world.attach("T-1", "live.txt", "12345");
  await world.attach("T-1", "gone.txt", "123");
  await world.run(["attach", "delete", "T-1", "gone.txt"]);
  return world;
}

/** A file in the store, with the folders above it; old unless told otherwise. */
async function put(world: World, name: string, content = "x", when: Date | null = DAYS_AGO): Promise<string> {
  const file = path.join(world.store, name);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, content, { mode: 0o600 });
  if (when !== null) await utimes(file, when, when);
  return file;
}

/** But for what depends on the machine that runs the tests. */
function elsewhere(faults: readonly string[]): readonly string[] {
  return faults.filter((fault) => !/^(?:file-system|space) /.test(fault));
}

describe("doctor on a folder", () => {
  test("a healthy store has no fault, each check is there in order, and nothing is changed", async () => {
    const world = await filled();
    const before = await treeOf(world.store);
    const { exit, faults, checks, of } = await examine(world);
    expect([exit, elsewhere(faults)]).toEqual([0, []]);
    expect(checks.map(({ id }) => id)).toEqual([...OWN, ...CHECK_IDS.folder, "serve"]);
    expect(of("layout").message).toBe("1 attachment on 1 task");
    expect(of("link-key")).toMatchObject({ status: "skip" });
    expect(await treeOf(world.store)).toEqual(before);
    expect(await readdir(world.home)).toEqual([]);
  });

  test.each([
    ["a file among the tasks", "layout warn", (w: World) => put(w, "tasks/stray.txt"), "tasks/stray.txt"],
    ["a folder in a task", "layout warn", (w: World) => put(w, "tasks/T-1/inner/a.txt"), "tasks/T-1/inner"],
    ["a stranger's file beside ours", "layout warn", (w: World) => put(w, ".taskflow/notes"), ".taskflow/notes"],
    ["a task that is a link", "layout fail", (w: World) => symlink("/tmp", path.join(w.store, "tasks/T-9")), "T-9"],
    ["a damaged format", "store fail", (w: World) => put(w, ".taskflow/format", "{"), "damaged"],
    ["a folder others may read", "modes warn", (w: World) => chmod(w.store, 0o750), "0750"],
    ["a folder others may write", "modes fail", (w: World) => chmod(w.store, 0o770), "0770"],
    [
      "a clock that was set back",
      "clock warn",
      (w: World) => utimes(path.join(w.store, "tasks"), TOMORROW, TOMORROW),
      "behind",
    ],
    ["a claim", "orphans warn", (w: World) => put(w, `.taskflow/meta/T-1/${CLAIM}.json`, '{"v":1,"ke'), "1 record"],
    ["a record of nothing", "orphans warn", (w: World) => put(w, ".taskflow/meta/T-1/notes"), "meta/T-1/notes"],
    ["a part", "leftovers warn", (w: World) => put(w, `.taskflow/tmp/${PART}`), "1 part of uploads (1 bytes)"],
    ["a stranger in tmp", "leftovers warn", (w: World) => put(w, ".taskflow/tmp/notes"), "not taskflow's: notes"],
    ["rules that are none", "lifecycle fail", (w: World) => put(w, ".taskflow/lifecycle.json", "{}"), "lifecycle.json"],
    ["quarantine", "quarantine warn", (w: World) => put(w, ".taskflow/quarantine/claim-1.json"), "1 thing"],
  ] as const)("%s is found: %s", async (_, fault, breakIt, said) => {
    const world = await filled();
    await breakIt(world);
    const { exit, faults, of } = await examine(world);
    expect([exit, elsewhere(faults)]).toEqual([fault.endsWith("fail") ? 5 : 0, [fault]]);
    expect(of(fault.split(" ")[0] ?? "").message).toContain(said);
  });

  test("an attachment that is live and deleted at once is found; --fix keeps the live one", async () => {
    const world = await filled();
    const [name = ""] = await readdir(path.join(world.store, "tasks/T-1"));
    const old = `.taskflow/trash/T-1/${DAYS_AGO.getTime()}-0123456789abcdef`;
    await put(world, `${old}/${name}`, "deleted");
    expect((await examine(world)).faults).toContain("twins warn");
    expect((await examine(world, ["--fix"])).of("twins")).toMatchObject({ status: "ok", message: /^moved 1 / });
    expect(await readFile(path.join(world.store, "tasks/T-1", name), "utf8")).toBe("12345");
    const kept = (await treeOf(path.join(world.store, ".taskflow/quarantine"))).filter((each) => !each.endsWith("/"));
    expect(kept).toEqual([expect.stringContaining(name)]);
  });

  test("--fix clears what is older than a day and can be explained, says what, and a second look is calm", async () => {
    const world = await filled();
    const long = "n".repeat(251);
    const hashed = createHash("sha256").update(long).digest("hex");
    await put(world, `.taskflow/tmp/${PART}`, "12345678");
    await put(world, `.taskflow/meta/T-1/${CLAIM}.json`, "{");
    await put(world, `.taskflow/class/T-1/${CLAIM}`, "GLACIER\n");
    await put(world, `.taskflow/meta/T-2/${hashed}.json`, JSON.stringify({ v: 1, key: `tasks/T-2/${long}` }));
    await mkdir(path.join(world.store, `.taskflow/trash/T-1/${DAYS_AGO.getTime()}-0123456789abcdef`));
    const young = `.taskflow/tmp/${PART.replace("1.part", "9.part")}`;
    await put(world, young, "y", null);
    const { exit, of } = await examine(world, ["--fix"]);
    expect(exit).toBe(0);
    expect(of("leftovers")).toMatchObject({
      status: "ok",
      message:
        "removed 1 part of uploads (8 bytes) and 1 empty entry of the trash, older than a day; 1 part younger than a day, perhaps under way",
    });
    expect(of("orphans").message).toBe("moved 2 records without attachments to quarantine");
    const tree = await treeOf(world.store);
    expect(tree.filter((name) => /tmp\/|quarantine\//.test(name) && !name.endsWith("/"))).toEqual([
      expect.stringMatching(CLAIMED),
      expect.stringMatching(CLAIMED),
      ".taskflow/tmp/*.part",
    ]);
    expect(tree).not.toContain(`.taskflow/class/T-1/${CLAIM}`);
    const again = await examine(world, ["--fix"]);
    expect(again.of("leftovers")).toMatchObject({
      status: "ok",
      message: "1 part younger than a day, perhaps under way",
    });
    expect((await world.run(["attach", "verify"])).status).toBe(0);
    expect((await world.run(["attach", "undelete", "T-1", "gone.txt"])).status).toBe(0);
  });

  test("--fix leaves what it can't explain, and what is young", async () => {
    const world = await filled();
    await put(world, ".taskflow/tmp/notes");
    await put(world, ".taskflow/meta/T-1/notes");
    await put(world, `.taskflow/meta/T-1/${CLAIM}.json`, "{", null);
    const before = await treeOf(world.store);
    const { faults } = await examine(world, ["--fix"]);
    expect(elsewhere(faults)).toEqual(["orphans warn", "leftovers warn"]);
    expect(await treeOf(world.store)).toEqual(before);
    await put(world, `.taskflow/tmp/${PART}`);
    expect((await examine(world, ["--fix"])).of("leftovers").message).toMatch(
      /^removed 1 part .*; not taskflow's: notes$/,
    );
  });

  test("--write puts a probe, reads it, deletes it, and nothing of it stays", async () => {
    const world = await filled();
    const files = async (): Promise<string[]> => (await treeOf(world.store)).filter((name) => !name.endsWith("/"));
    const before = await files();
    const { exit, checks } = await examine(world, ["--write"]);
    const written = checks.filter(({ id }) => id.startsWith("write-"));
    expect([exit, written.map(({ id, status }) => `${id} ${status}`)]).toEqual([
      0,
      ["put", "read", "once", "list", "delete", "clean", "links", "names"].map((step) => `write-${step} ok`),
    ]);
    expect(await files()).toEqual(before);
  });

  test.each([
    ["others may read it", async (file: string) => await chmod(file, 0o644), "permission"],
    ["it is empty", async (file: string) => await writeFile(file, ""), "bad_config"],
  ])("a link key is refused where %s", async (_, breakIt, code) => {
    const world = await filled();
    const file = await world.write("key", `${"ab".repeat(32)}\n`);
    await chmod(file, 0o600);
    const env = { TASKFLOW_URL_KEY_FILE: file };
    expect((await examine(world, [], { env })).of("link-key")).toMatchObject({ status: "ok" });
    await breakIt(file);
    const { document, status } = await world.json(["attach", "doctor"], { env });
    expect([status, document["errors"]]).toMatchObject([5, [{ code, item: "link-key" }]]);
  });

  test("another link key than serve's is found", async () => {
    const world = await filled();
    const file = await world.write("key", `${"ab".repeat(32)}\n`);
    await chmod(file, 0o600);
    const format = path.join(world.store, ".taskflow/format");
    const known = JSON.parse(await readFile(format, "utf8")) as object;
    await writeFile(format, JSON.stringify({ ...known, linkKeys: ["00000000"] }));
    const { exit, of } = await examine(world, [], { env: { TASKFLOW_URL_KEY_FILE: file } });
    expect([exit, of("link-key").status]).toEqual([5, "fail"]);
    expect(of("link-key").message).toContain("'00000000'");
  });

  test("a store that only other programs filled is healthy too", async () => {
    const world = await createWorld();
    await mkdir(world.store, { mode: 0o700 });
    await put(world, "tasks/1/abc123_document.pdf");
    const { exit, faults, of } = await examine(world);
    expect([exit, elsewhere(faults)]).toEqual([0, []]);
    expect(of("layout").message).toContain("put there by other programs");
  });
});

describe("doctor of itself", () => {
  test("says which Node the SDK leaves behind", async () => {
    const world = await filled();
    expect((await examine(world, [], { nodeVersion: "20.20.2" })).of("node")).toMatchObject({
      status: "warn",
      message: expect.stringContaining("January 2027") as string,
    });
    expect((await examine(world, [], { nodeVersion: "24.0.0" })).of("node").status).toBe("ok");
  });

  test("says where settings come from, and which of them are bad", async () => {
    const world = await filled();
    await world.write(".env", "TASKFLOW_USER=ada\nTASKFLOW_MAX_SIZE=many\n");
    const bad = await examine(world, [], { env: { TASKFLOW_RETRY_FOR: "soon" } });
    expect([bad.exit, bad.of("settings").status]).toEqual([5, "fail"]);
    expect(bad.of("settings").message).toMatch(/TASKFLOW_MAX_SIZE=many in \S+\.env line 2: not a size; and 1 more$/);
    await world.write(".env", "TASKFLOW_USER=ada\n");
    expect((await examine(world)).of("settings").message).toMatch(/^TASKFLOW_USER in \S+\.env line 1$/);
    await world.write(".env", "TASKFLOW_USR=ada\n");
    expect((await examine(world)).of("settings")).toMatchObject({
      status: "warn",
      message: expect.stringContaining("did you mean TASKFLOW_USER") as string,
    });
  });

  test("runs through where there is no store, and names what it could not look at", async () => {
    const world = await createWorld();
    const { exit, faults, checks, of } = await examine(world);
    expect([exit, faults]).toEqual([5, ["store fail"]]);
    expect(checks.map(({ id }) => id)).toEqual([...OWN, ...CHECK_IDS.folder]);
    expect(of("layout")).toMatchObject({ status: "skip", message: "the store can't be opened" });
    expect(of("store").fix).toContain("taskflow attach upload");
  });

  test("half a key is no fault of the store: what needs credentials is skipped", async () => {
    const world = await createWorld();
    const env = { USE_S3: "true", AWS_S3_BUCKET: "acme", AWS_ACCESS_KEY_ID: "AKIA" };
    const { exit, faults, checks, of } = await examine(world, [], { env });
    expect([exit, faults, of("store").message]).toEqual([
      4,
      ["credentials fail"],
      "s3://acme, named by AWS_S3_BUCKET in the environment",
    ]);
    expect(checks.map(({ id }) => id)).toEqual([...OWN, ...CHECK_IDS.s3]);
    expect(of("bucket")).toMatchObject({ status: "skip", message: "there are no credentials to ask with" });
  });

  test("a misspelt USE_S3 is a bad setting, and no store is guessed", async () => {
    const world = await filled();
    const { exit, faults } = await examine(world, [], { env: { USE_S3: "flase" } });
    expect([exit, faults]).toEqual([5, ["settings fail", "store fail"]]);
  });

  test("on a terminal a glyph, the id and the text, and the fix beneath; colour only where it is wanted", async () => {
    const world = await filled();
    await chmod(world.store, 0o770);
    const plain = await world.run(["attach", "doctor"], { terminal: true, columns: 200, nodeVersion: "22.14.0" });
    expect(plain.status).toBe(5);
    expect(plain.lines).toContain(`✗ modes          ${world.store} can be written by others (mode 0770)`);
    expect(plain.lines).toContain(`                 → chmod go-rwx ${world.store}`);
    expect(plain.lines).toContain("✓ orphans        none");
    expect(plain.stderr).not.toContain("error:");
    expect(plain.stderr).toMatch(/ ok, .*1 failed, /);
    const colored = { terminal: true, env: { NO_COLOR: "", FORCE_COLOR: "1" } };
    expect((await world.run(["attach", "doctor"], colored)).stdout).toContain("\u001b[31m✗\u001b[39m modes");
    expect((await world.run(["attach", "doctor", "--no-color"], colored)).stdout).not.toContain("\u001b[");
  });

  test("on a narrow terminal words are kept whole, and what is to be copied is one line", async () => {
    const world = await filled();
    const { lines } = await world.run(["attach", "doctor"], { terminal: true, columns: 60, nodeVersion: "20.20.2" });
    expect(lines.slice(0, 4)).toEqual([
      "! node           Node 20.20.2: versions of the AWS SDK from",
      "                 January 2027 on need Node 22",
      "                 → use Node 22 or newer before taskflow takes such a version",
      "✓ settings       all by default",
    ]);
  });

  test("on a pipe id, status, text and fix between tabs; the failure is on stderr too", async () => {
    const world = await filled();
    await chmod(world.store, 0o770);
    const { lines, stderr } = await world.run(["attach", "doctor"]);
    const modes = lines.find((line) => line.startsWith("modes\t"))?.split("\t");
    expect(modes).toEqual(["modes", "fail", expect.stringContaining("0770"), `chmod go-rwx ${world.store}`]);
    expect(stderr).toContain(`error: ${world.store} can be written by others`);
  });

  test("--ndjson tells each check as it is made", async () => {
    const world = await filled();
    const { status, events } = await world.ndjson(["attach", "doctor"]);
    expect(status).toBe(0);
    expect(events[0]).toMatchObject({ event: "item", item: { id: "node" } });
    expect(events.at(-1)).toMatchObject({ event: "summary", command: "doctor" });
  });

  test.each([
    [["T-1"], "takes no operands"],
    [["--origin", "*"], "not an origin"],
    [["--origin", "https://*.example.com"], "not an origin"],
    [["--origin", "https://app.example.com/path"], "not an origin"],
    [["--origin", "https://app.example.com/"], "not an origin"],
    [["--origin", "app.example.com"], "not an origin"],
    [["--origin", ""], "not an origin"],
    [["--fix", "--bogus"], "unknown option"],
  ])("%j is a usage error", async (words, said) => {
    const world = await filled();
    const { status, stdout, stderr } = await world.run(["attach", "doctor", ...words]);
    expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining(said)]);
  });
});
