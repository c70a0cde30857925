/** Objects of a bucket that are no attachments: left alone, and said so by whoever looks at a whole task or store. */
import { expect, test } from "vitest";
import { BUCKET, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";

const KEY = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_a.txt";
const DEEPER = ["tasks/T-1/sub/x.txt", "tasks/T-1/sub/y.txt", "tasks/T-1/sub/\u001b[2J"];
/** What consoles make of a folder. */
const FOLDERS = ["tasks/", "tasks/T-1/", "tasks/T-1/sub/"];

async function prepared(keys: readonly string[]): Promise<S3World> {
  const world = await createS3World();
  for (const key of [KEY, ...keys]) world.s3.plant(BUCKET, key, key.endsWith("/") ? "" : "hello");
  return world;
}

const WHOLE = [
  ["list", "T-1"],
  ["list"],
  ["verify", "T-1"],
  ["verify"],
  ["download", "T-1", "-o", "out/"],
  ["copy", "--from", `s3://${BUCKET}`, "--to", "copies/"],
  ["delete", "T-1", "--all"],
];

test.each(WHOLE)("%s %s tells how many, and one of them", async (...words) => {
  const world = await prepared(DEEPER);
  const { status, stderr } = await world.run(["attach", ...words]);
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: expect.stringContaining(
      "not attachments, and left alone, by their keys: tasks/T-1/sub/\\x1b[2J and 2 others\n",
    ) as string,
  });
  expect(world.s3.keys(BUCKET)).toEqual(expect.arrayContaining(DEEPER));
});

test.each(WHOLE)("%s %s says nothing of folders that consoles make", async (...words) => {
  const world = await prepared(FOLDERS);
  const { status, stderr } = await world.run(["attach", ...words]);
  expect(status, stderr).toBe(0);
  expect(stderr).not.toContain("not attachments");
});

test("in JSON it is a warning", async () => {
  const world = await prepared(DEEPER.slice(0, 1));
  const { document } = await world.json(["attach", "list"]);
  expect(document["warnings"]).toEqual(["not attachments, and left alone, by their keys: tasks/T-1/sub/x.txt"]);
});
