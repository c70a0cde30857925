import { describe, expect, test } from "vitest";
import { BUCKET, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";
import type { S3DoubleOptions } from "../servers/s3-double/server.ts";
import { createWorld, itemsOf, matching } from "./support.ts";

const COLD = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_cold.pdf";
const COLDEST = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000002_coldest.pdf";
const WARM = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000003_warm.pdf";

async function filled(options: Partial<S3DoubleOptions> = {}): Promise<S3World> {
  const world = await createS3World(options);
  for (const [key, storageClass] of [
    [COLD, "GLACIER"],
    [COLDEST, "DEEP_ARCHIVE"],
    [WARM, "GLACIER_IR"],
  ] as const) {
    world.s3.plant(BUCKET, key, "bytes", { storageClass });
  }
  return world;
}

function restores({ s3 }: S3World): readonly (string | number | null)[] {
  return s3.requests.filter(({ operation }) => operation === "RestoreObject").map(({ code, status }) => code ?? status);
}

describe("thaw", () => {
  test("asks for what is archived and prints its key; download works once it is there", async () => {
    const world = await filled();
    const asked = await world.run(["attach", "thaw", "T-1", "cold.pdf"]);
    expect([asked.status, asked.stdout]).toEqual([0, `${COLD}\n`]);
    expect(asked.stderr).toBe(`cold.pdf: asked for\nasked for 1 attachment in s3://${BUCKET}\n`);
    expect((await world.run(["attach", "download", "T-1", "cold.pdf"])).status).toBe(9);
    world.s3.thaw(BUCKET, COLD);
    expect((await world.run(["attach", "download", "T-1", "cold.pdf", "-o", "-"])).stdout).toBe("bytes");
  });

  test("asked again while it is under way it says so, and afterwards it stays longer", async () => {
    const world = await filled();
    await world.run(["attach", "thaw", COLD, "--days", "2"]);
    const again = await world.json(["attach", "thaw", COLD]);
    expect([again.status, again.document["items"]]).toMatchObject([
      0,
      [{ key: COLD, thaw: "under_way", archive: { state: "thawing", until: null }, usually: null }],
    ]);
    world.s3.thaw(BUCKET, COLD);
    const longer = await world.json(["attach", "thaw", COLD, "--days", "30"]);
    const days = (Date.parse(longer.document["items"][0].archive.until as string) - Date.now()) / 86_400_000;
    expect(longer.document["items"]).toMatchObject([{ thaw: "extended", archive: { state: "thawed" } }]);
    expect(Math.floor(days)).toBe(30);
    expect(restores(world)).toEqual([202, "RestoreAlreadyInProgress", 200]);
  });

  test("what is not archived is done, and said; nothing is sent for it", async () => {
    const world = await filled();
    const { status, stdout, stderr } = await world.run(["attach", "thaw", WARM]);
    expect([status, stdout]).toEqual([0, `${WARM}\n`]);
    expect(stderr).toContain("warm.pdf: not archived, can be read as it is\n");
    expect(restores(world)).toEqual([]);
  });

  test("DEEP_ARCHIVE knows no expedited tier: refused before it is sent, the others go on", async () => {
    const world = await filled();
    const argv = ["attach", "thaw", "T-1", "coldest.pdf", "cold.pdf", "--tier", "expedited"];
    const { status, document } = await world.json(argv);
    expect([status, itemsOf(document).map(({ key }) => key)]).toEqual([7, [COLD]]);
    expect(document["errors"]).toMatchObject([
      { code: "unsupported", index: 0, item: "coldest.pdf", hint: "it knows: standard, bulk" },
    ]);
    expect(restores(world)).toEqual([202]);
  });

  test("-n asks for nothing, and tells what would be", async () => {
    const world = await filled();
    const { status, document } = await world.json(["attach", "thaw", "T-1", "cold.pdf", "coldest.pdf", "-n"]);
    expect([status, document["dryRun"], restores(world)]).toEqual([0, true, []]);
    expect(itemsOf(document)).toMatchObject([
      { thaw: "begun", archive: { state: "archived", until: null } },
      { thaw: "begun", archive: { state: "archived" } },
    ]);
  });

  test("keys come on stdin, with --task all operands are items, ndjson has an event for each", async () => {
    const world = await filled();
    const piped = await world.run(["attach", "thaw", "-", "--tier", "bulk"], { stdin: `${COLD}\n${COLDEST}\n` });
    expect([piped.status, piped.lines]).toEqual([0, [COLD, COLDEST]]);
    const { status, events } = await world.ndjson(["attach", "thaw", "--task", "T-1", "cold.pdf", "missing"]);
    expect([status, events.map(({ event }) => event as string)]).toEqual([7, ["error", "item", "summary"]]);
  });

  test("--wait comes back when all can be read", async () => {
    const world = await filled();
    const done = world.run(["attach", "thaw", "T-1", "cold.pdf", "coldest.pdf", "warm.pdf", "--wait"]);
    await world.s3.arrival({ operation: "RestoreObject", key: COLD });
    await world.s3.arrival({ operation: "HeadObject", key: COLD });
    for (const key of [COLD, COLDEST]) world.s3.thaw(BUCKET, key);
    const { status, lines } = await done;
    expect([status, lines]).toEqual([0, [WARM, COLD, COLDEST]]);
  });

  test("credentials that end while it waits are said, with the way to look again: the store goes on", async () => {
    const keys = { accessKeyId: "ASIASESSION000000001", secretAccessKey: "s", sessionToken: "t" };
    const world = await filled({ users: [{ ...keys, expiresAt: new Date(Date.now() + 60_000) }] });
    const done = world.json(["attach", "thaw", COLD, "--wait"]);
    await world.s3.arrival({ operation: "RestoreObject" });
    await world.s3.arrival({ operation: "HeadObject" });
    world.s3.shiftClock(120_000);
    const { status, document, stderr } = await done;
    expect([status, document["errors"]]).toMatchObject([
      4,
      [
        {
          code: "expired_credentials",
          message: matching("; the store goes on thawing"),
          hint: matching(`attach thaw ${COLD} --wait`),
        },
      ],
    ]);
    expect(stderr).toContain("sign in again");
    expect(restores(world)).toEqual([202]);
  });

  test("one that is deleted while it waits fails alone", async () => {
    const world = await filled();
    const done = world.run(["attach", "thaw", COLD, COLDEST, "--wait"]);
    await world.s3.arrival({ operation: "RestoreObject", key: COLDEST });
    await world.s3.arrival({ operation: "HeadObject", key: COLD });
    world.s3.delete(BUCKET, COLD);
    world.s3.thaw(BUCKET, COLDEST);
    const { status, lines, stderr } = await done;
    expect([status, lines]).toEqual([7, [COLDEST]]);
    expect(stderr).toContain(`error: cannot read ${COLD}`);
  });

  test("an interrupted --wait ends at once, and says that the store goes on", async () => {
    const world = await filled();
    const stop = new AbortController();
    const done = world.run(["attach", "thaw", COLD, "--wait"], { signal: stop.signal });
    await world.s3.arrival({ operation: "RestoreObject" });
    await world.s3.arrival({ operation: "HeadObject" });
    stop.abort();
    const { status, stderr } = await done;
    expect(status).toBe(130);
    expect(stderr).toContain("the store goes on thawing");
  });

  test("without capacity for expedited thaws it says what else there is", async () => {
    const world = await filled();
    const reply = { status: 503, code: "GlacierExpeditedRetrievalNotAvailable" };
    world.s3.fault({ operation: "RestoreObject" }, { kind: "reply", reply });
    const env = { TASKFLOW_RETRY_FOR: "1s" };
    const { status, stderr } = await world.run(["attach", "thaw", COLD, "--tier", "expedited"], { env });
    expect(status).toBe(6);
    expect(stderr).toContain("with --tier standard");
  });

  describe("a deleted one, for who may not remove its marker", () => {
    const client = { accessKeyId: "AKIACLIENT0000000001", secretAccessKey: "may-not" };
    const deny = [{ actions: ["s3:DeleteObjectVersion"] }];

    test("undelete names the way: thawed, then copied back to where it can be read", async () => {
      const world = await filled({ users: [{ ...client, deny }] });
      world.s3.delete(BUCKET, COLD);
      const refused = await world.run(["attach", "undelete", "T-1", "cold.pdf"]);
      expect([refused.status, refused.stderr]).toEqual([
        9,
        matching(`hint: first: taskflow attach thaw '${COLD}' --wait`),
      ]);
      const waiting = world.run(["attach", "thaw", COLD, "--wait"]);
      await world.s3.arrival({ operation: "RestoreObject" });
      await world.s3.arrival({ operation: "HeadObject" });
      world.s3.thaw(BUCKET, COLD);
      const thawed = await waiting;
      expect([thawed.status, thawed.stdout]).toEqual([0, `${COLD}\n`]);
      expect(thawed.stderr).toContain("cold.pdf: asked for; it is deleted: undelete it once it can be read\n");
      expect((await world.run(["attach", "undelete", COLD])).status).toBe(0);
      expect((await world.run(["attach", "download", COLD, "-o", "-"])).stdout).toBe("bytes");
      expect(world.s3.object(BUCKET, COLD)?.storageClass).toBe("STANDARD");
    });

    test("it is found by its name too, and a live one of that name is preferred", async () => {
      const world = await filled({ users: [{ ...client, deny }] });
      world.s3.delete(BUCKET, COLD);
      const { document } = await world.json(["attach", "thaw", "T-1", "cold.pdf", "coldest.pdf", "-n"]);
      expect(itemsOf(document)).toMatchObject([
        { key: COLD, deleted: true, thaw: "begun" },
        { key: COLDEST, deleted: false },
      ]);
      const other = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000004_cold.pdf";
      world.s3.plant(BUCKET, other, "bytes", { storageClass: "GLACIER" });
      expect((await world.run(["attach", "thaw", "T-1", "cold.pdf"])).stdout).toBe(`${other}\n`);
    });

    test("who may not list versions is told that there is none", async () => {
      const blind = [{ actions: ["s3:ListBucketVersions"] }];
      const world = await filled({ users: [{ ...client, deny: blind }] });
      world.s3.delete(BUCKET, COLD);
      for (const words of [["T-1", "cold.pdf"], [COLD]]) {
        const { status, stderr } = await world.run(["attach", "thaw", ...words]);
        expect([status, stderr]).toEqual([3, matching(/^error: no attachment/)]);
      }
    });
  });

  test("a folder has no archive", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "a", "x", "--storage-class", "GLACIER");
    const { status, stderr } = await run(["attach", "thaw", "T-1", "a"]);
    expect(status).toBe(5);
    expect(stderr).toContain("has no archive");
  });

  test.each([
    [["T-1"], "name the items"],
    [["T-1", "a", "--days", "0"], "--days=0: not from 1 to 36500"],
    [["T-1", "a", "--days", "1.5"], "--days=1.5: not a whole number"],
    [["T-1", "a", "--tier", "fast"], '--tier "fast": not one of standard, bulk, expedited'],
    [["T-1", ""], "empty"],
  ])("%j is a usage error", async (words, said) => {
    const { run } = await createWorld();
    const { status, stderr } = await run(["attach", "thaw", ...words]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(said)]);
  });
});
