/** Links to upload to a bucket with; test/servers/links.test.ts has them used by curl. */
import { beforeEach, describe, expect, test } from "vitest";
import { BUCKET, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";
import { firstOf } from "./support.ts";
import type { Item } from "./support.ts";

let world: S3World;

beforeEach(async () => {
  world = await createS3World();
});

describe("presign --put and --post on a bucket", () => {
  test("tell all of it in JSON: what must be sent, and the key that it will have", async () => {
    const put = await world.json(["attach", "presign", "--put", "T-1", "é.txt", "--type", "Text/Plain", "--size", "5"]);
    expect(put.status).toBe(0);
    const { key, curl } = firstOf(put.document);
    expect(firstOf(put.document)).toMatchObject({
      method: "PUT",
      headers: { "If-None-Match": "*", "Content-Type": "text/plain", "Content-Length": "5" },
      fields: null,
      name: "é.txt",
    });
    expect(curl).toMatch(/^curl -fsSg -T 'é\.txt' -H 'If-None-Match: \*' -H 'Content-Type: text\/plain' 'http/);
    const post = await world.json(["attach", "presign", "--post", "T-1", "é.txt", "--max-size", "1M"]);
    const form = firstOf(post.document) as Item & { fields: Record<string, string> };
    expect(form).toMatchObject({ method: "POST", headers: {}, url: `${world.s3.endpoint}/${BUCKET}` });
    expect(form.fields["key"]).toBe(form.key);
    expect(form.key).not.toBe(key);
    const policy = JSON.parse(Buffer.from(form.fields["Policy"] ?? "", "base64").toString()) as {
      conditions: unknown[];
    };
    expect(policy.conditions).toContainEqual(["content-length-range", 1, 1024 ** 2]);
    expect(policy.conditions).toContainEqual({ key: form.key });
  });

  test("say on stderr what a link alone doesn't", async () => {
    const say = async (...words: string[]): Promise<string> =>
      (await world.run(["attach", "presign", ...words])).stderr;
    expect(await say("--put", "T-1", "a", "--type", "image/png")).toBe(
      "to be sent with the file: -H 'If-None-Match: *' -H 'Content-Type: image/png'\n",
    );
    expect(await say("--put", "T-1", "a", "--curl")).toBe("");
    expect(await say("--post", "T-1", "a")).toMatch(/may send it again until it ends/);
  });

  test.each([
    ["a largest size of a PUT", ["--put", "--max-size", "1M"], {}, 5, /--size binds the exact one, --post a range/],
    ["the policy's, where none is said", ["--put"], { TASKFLOW_MAX_SIZE: "1M" }, 5, /--post a range/],
    ["more than S3 takes at once", ["--put", "--size", "6G"], {}, 9, /5368709120/],
    [
      "any type where not all are allowed",
      ["--put"],
      { TASKFLOW_ALLOWED_TYPES: "image/*" },
      9,
      /any type could be sent/,
    ],
    [
      "a type that isn't allowed",
      ["--post", "--type", "text/plain"],
      { TASKFLOW_ALLOWED_TYPES: "image/*" },
      9,
      /image/,
    ],
  ])("don't sign %s", async (_, words, env, status, said) => {
    const refused = await world.run(["attach", "presign", ...words, "T-1", "a"], { env });
    expect(refused).toMatchObject({ status, stdout: "" });
    expect(refused.stderr).toMatch(said);
  });
});
