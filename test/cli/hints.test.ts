/** The commands of hints are of the store that was typed: copied to the shell as they are, they do what is promised. */
import { describe, expect, test } from "vitest";
import { reply } from "../servers/s3-double/faults.ts";
import { BUCKET, createS3World } from "./s3-support.ts";
import type { S3Double } from "../servers/s3-double/server.ts";
import { createWorld } from "./support.ts";
import type { World } from "./support.ts";

const COLD = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_cold.pdf";
const WARM = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000002_warm.pdf";
const GONE = "0b9c6f0e-0000-4000-8000-000000000003";

/** A bucket that only options lead to: the environment has the keys alone. */
async function typedBucket(): Promise<World & { s3: S3Double; typed: string[] }> {
  const world = await createS3World();
  world.s3.plant(BUCKET, COLD, "bytes", { storageClass: "GLACIER" });
  world.s3.plant(BUCKET, WARM, "bytes");
  world.s3.plant(BUCKET, `tasks/T-1/${GONE}_gone.pdf`, "bytes");
  await world.run(["attach", "delete", "T-1", "gone.pdf"]);
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = world.env;
  const { endpoint, region } = world.s3;
  const typed = ["--store", `s3://${BUCKET}`, "--endpoint", endpoint, "--region", region];
  return {
    ...(await createWorld({ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN })),
    s3: world.s3,
    typed,
  };
}

function hintOf(stderr: string): string {
  return /^hint: (.*)$/m.exec(stderr)?.[1] ?? "";
}

/** The words of the command in a hint, which is the rest of it but for what follows this. */
function commandIn(hint: string, end = ""): string[] {
  const command = /taskflow (attach .*)$/.exec(hint)?.[1] ?? "";
  expect(command.endsWith(end)).toBe(true);
  return command
    .slice(0, command.length - end.length)
    .split(" ")
    .map((word) => word.replaceAll("'", ""));
}

describe("what was typed to reach the store is in the command of a hint", () => {
  test.each([
    [["download", "T-1", "nope"], "", WARM],
    [["show", "T-1", "nope"], "", WARM],
    [["undelete", "T-1", "nope"], "", `tasks/T-1/${GONE}_gone.pdf`],
    [["download", "T-1", "gone.pdf"], "", `tasks/T-1/${GONE}_gone.pdf`],
    [["download", "T-9"], " shows what was deleted", ""],
    [["download", "T-1", "cold.pdf"], "", COLD],
    [["presign", "T-1", "cold.pdf"], "", COLD],
  ])("%j", async (argv, end, stdout) => {
    const { run, typed } = await typedBucket();
    const failed = await run(["attach", ...argv, ...typed]);
    expect(failed.status).not.toBe(0);
    const followed = await run(commandIn(hintOf(failed.stderr), end));
    expect([followed.status, followed.stderr.replace(/^cold.*\n|^asked.*\n|^brought.*\n|^nothing.*\n/gm, "")]).toEqual([
      0,
      "",
    ]);
    expect(followed.stdout).toContain(stdout);
  });

  test("doctor's ways out too, and the note of a wait that is interrupted", async () => {
    const world = await createWorld();
    const typed = ["--store", "./my store/"];
    await world.run(["attach", "upload", "T-1", "-", ...typed], { stdin: "x" });
    const env = { TASKFLOW_URL: "http://127.0.0.1:1" };
    const { document } = await world.json(["attach", "doctor", ...typed], { env });
    const fixes = (document["checks"] as { fix: string | null }[]).map(({ fix }) => fix);
    expect(fixes).toContain("links work while this runs: taskflow attach --store './my store/' serve");

    const bucket = await typedBucket();
    const stop = new AbortController();
    const waiting = bucket.run(["attach", "thaw", COLD, "--wait", ...bucket.typed], { signal: stop.signal });
    await bucket.s3.arrival({ operation: "RestoreObject" });
    await bucket.s3.arrival({ operation: "HeadObject" });
    stop.abort();
    const { stderr } = await waiting;
    const again = `taskflow attach ${bucket.typed.join(" ")} thaw ${COLD} --wait`;
    expect(stderr).toContain(`\nthe store goes on thawing; look again with: ${again}\n`);
  });

  test("in JSON too, and where the store stands before the command", async () => {
    const { json, typed } = await typedBucket();
    const { document } = await json(["attach", ...typed, "download", "T-1", "nope"]);
    expect(document["errors"][0].hint).toBe(`taskflow attach ${typed.join(" ")} list T-1`);
  });

  test("of a folder, quoted as a shell needs it", async () => {
    const { run } = await createWorld();
    const typed = ["--store", "./my store/"];
    const none = await run(["attach", "list", "T-1", ...typed]);
    expect(hintOf(none.stderr)).toBe("taskflow attach --store './my store/' upload TASK FILE makes one there");
    await run(["attach", "upload", "T-1", "-", ...typed], { stdin: "x" });
    expect(hintOf((await run(["attach", "show", "T-1", "nope", ...typed])).stderr)).toBe(
      "taskflow attach --store './my store/' list T-1",
    );
  });

  test("nothing where nothing was typed: the settings are there the next time as well", async () => {
    const { run, attach } = await createWorld({ TASKFLOW_STORE: "./elsewhere" });
    await attach("T-1", "a");
    expect(hintOf((await run(["attach", "show", "T-1", "nope"])).stderr)).toBe("taskflow attach list T-1");
  });

  test("copy: the store that refused is the one to look at", async () => {
    const world = await createS3World({ buckets: { [BUCKET]: {}, other: {} } });
    await world.attach("T-1", "a.txt");
    world.s3.fault({ operation: "PutObject" }, reply({ status: 403, code: "AccessDenied" }));
    const up = await world.run(["attach", "copy", "--from", `s3://${BUCKET}`, "--to", "s3://other"]);
    expect(hintOf(up.stderr)).toContain("taskflow attach --store s3://other doctor --write");
    world.s3.fault({ operation: "GetObject" }, reply({ status: 403, code: "AccessDenied" }));
    const down = await world.run(["attach", "copy", "--from", `s3://${BUCKET}`, "--to", "s3://other"]);
    expect(hintOf(down.stderr)).toContain(`taskflow attach --store s3://${BUCKET} doctor --write`);
  });

  test("copy: what is archived is thawed in --from; the form of copy itself has no --store", async () => {
    const { run, typed } = await typedBucket();
    const [store = "", ...reach] = typed.slice(1);
    const copied = await run(["attach", "copy", "--from", store, "--to", "./backup", ...reach]);
    expect(copied.status).toBe(7);
    const followed = await run(commandIn(hintOf(copied.stderr)));
    expect([followed.status, followed.stdout]).toEqual([0, `${COLD}\n`]);
    const refused = await run(["attach", "copy", ...typed]);
    expect(hintOf(refused.stderr)).toBe("taskflow attach copy --from ./uploads --to s3://BUCKET");
  });
});
