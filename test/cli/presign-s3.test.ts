/** Links to what is in a bucket, followed to a server that verifies signatures and ends. */
import { beforeEach, describe, expect, test } from "vitest";
import { reply } from "../servers/s3-double/faults.ts";
import { BUCKET, askedOf, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";
import { firstOf, itemsOf } from "./support.ts";
import type { Item } from "./support.ts";

let world: S3World;

beforeEach(async () => {
  world = await createS3World();
});

async function linkTo(...words: string[]): Promise<Item & { readonly url: string }> {
  const { status, document } = await world.json(["attach", "presign", ...words]);
  expect({ status, errors: document["errors"] as unknown }).toEqual({ status: 0, errors: [] });
  return firstOf(document) as Item & { url: string };
}

/** HEAD as S3 answers it of an object that can be read only for a while, or not at all. */
function headSays(headers: Record<string, string>): void {
  world.s3.fault(
    { operation: "HeadObject" },
    reply({
      status: 200,
      headers: { etag: '"e"', "content-length": "5", "last-modified": new Date().toUTCString(), ...headers },
    }),
  );
}

describe("presign on a bucket", () => {
  test("prints a link that gives the bytes, under the true name", async () => {
    const key = await world.attach("T-1", "Prüf bericht.pdf", "hello");
    const { status, stdout, stderr } = await world.run(["attach", "presign", "T-1", "Prüf bericht.pdf"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const answer = await fetch(stdout.trim());
    expect(await answer.text()).toBe("hello");
    expect(answer.headers.get("content-disposition")).toBe(
      `attachment; filename="Pr_f bericht.pdf"; filename*=UTF-8''Pr%C3%BCf%20bericht.pdf`,
    );
    expect((await linkTo(key)).name).toBe("Prüf bericht.pdf");
  });

  test("with --inline and --filename says so to the browser", async () => {
    await world.attach("T-1", "a.pdf", "%PDF-1.7");
    const { url } = await linkTo("T-1", "a.pdf", "--inline", "--filename", "b/c.pdf");
    expect((await fetch(url)).headers.get("content-disposition")).toMatch(/^inline; filename="b_c\.pdf"/);
    await world.attach("T-1", "a.html", "<!doctype html><script>1</script>");
    const { stdout, stderr } = await world.run(["attach", "presign", "T-1", "a.html", "--inline"]);
    expect(stderr).toBe("a.html will be saved, not shown: text/html can hold scripts\n");
    expect((await fetch(stdout.trim())).headers.get("content-disposition")).toMatch(/^attachment;/);
  });

  test("reads keys from stdin, as upload prints them", async () => {
    const keys = [await world.attach("T-1", "a", "a"), await world.attach("T-1", "b", "b")];
    const { stdout } = await world.run(["attach", "presign", "-", "--expires", "60"], { stdin: keys.join("\n") });
    const texts = await Promise.all(
      stdout
        .trim()
        .split("\n")
        .map(async (url) => (await fetch(url)).text()),
    );
    expect(texts).toEqual(["a", "b"]);
  });

  test("looks for the object first: no link to what isn't there, or was deleted", async () => {
    const key = await world.attach("T-1", "a.txt");
    await world.run(["attach", "delete", key]);
    expect(await world.run(["attach", "presign", key])).toMatchObject({ status: 3, stdout: "" });
    expect(await world.run(["attach", "presign", "T-1", "b"])).toMatchObject({ status: 3, stdout: "" });
  });

  test("ends when it says, by the server's clock: this machine's may be wrong by half an hour", async () => {
    const key = await world.attach("T-1", "a.txt", "hello");
    for (const minutes of [-30, 2, 30]) {
      world.s3.shiftClock(minutes * 60_000);
      const { url, expiresAt } = await linkTo(key, "--expires", "60");
      expect((await fetch(url)).status).toBe(200);
      const left = Date.parse(String(expiresAt)) - world.s3.now().getTime();
      expect(left).toBeLessThanOrEqual(60_000);
      world.s3.shiftClock(left + 1000);
      expect((await fetch(url)).status).toBe(403);
      world.s3.clear();
    }
  });

  test("with --no-check sends nothing, needs full keys and a region, and says what it didn't ask", async () => {
    const key = await world.attach("T-1", "a.txt", "hello");
    world.s3.clear();
    const { status, stdout, stderr } = await world.run(["attach", "presign", key, "--no-check"]);
    expect({ status, asked: askedOf(world) }).toEqual({ status: 0, asked: [] });
    expect(stderr).toContain("this machine's clock");
    expect(await (await fetch(stdout.trim())).text()).toBe("hello");
    expect((await world.run(["attach", "presign", "T-1", "a.txt", "--no-check"])).status).toBe(2);
    const env = { AWS_REGION: undefined, AWS_ENDPOINT_URL_S3: undefined };
    expect(await world.run(["attach", "presign", key, "--no-check"], { env })).toMatchObject({ status: 5, stdout: "" });
  });

  test("is signed for TASKFLOW_LINK_ENDPOINT, while everything else goes to the endpoint", async () => {
    const key = await world.attach("T-1", "a.txt", "hello");
    const port = new URL(world.s3.endpoint).port;
    const env = { TASKFLOW_LINK_ENDPOINT: `http://localhost:${port}` };
    // As where the two names lead to one server whose clock is not ours.
    world.s3.shiftClock(1_800_000);
    const { stdout } = await world.run(["attach", "presign", key], { env });
    expect(stdout).toContain(`http://localhost:${port}/${BUCKET}/tasks/`);
    expect(await (await fetch(stdout.trim())).text()).toBe("hello");
  });

  test("is signed for the region that the bucket is in, whatever was thought at first", async () => {
    world.s3.addBucket("elsewhere", { region: "eu-west-1" });
    const key = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_a.txt";
    world.s3.plant("elsewhere", key, "hello");
    const env = { AWS_S3_BUCKET: "elsewhere", AWS_REGION: undefined };
    const { stdout } = await world.run(["attach", "presign", key], { env });
    expect(stdout).toContain("%2Feu-west-1%2Fs3%2F");
    expect(await (await fetch(stdout.trim())).text()).toBe("hello");
    const link = { ...env, TASKFLOW_LINK_ENDPOINT: "https://files.example.org" };
    for (const words of [[key], ["--put", "T-1", "b"]]) {
      expect((await world.run(["attach", "presign", ...words], { env: link })).stdout).toContain("%2Feu-west-1%2F");
    }
    const wrong = { ...env, AWS_REGION: "us-east-1" };
    for (const words of [[key], ["--put", "T-1", "b"], ["--post", "T-1", "b"]]) {
      const { status, stdout: none, stderr } = await world.run(["attach", "presign", ...words], { env: wrong });
      expect({ words, status, none }).toEqual({ words, status: 5, none: "" });
      expect(stderr).toContain("AWS_REGION=eu-west-1");
    }
  });

  test("follows no link that was changed", async () => {
    const key = await world.attach("T-1", "a.txt", "hello");
    const other = await world.attach("T-1", "b.txt", "other");
    const { url } = await linkTo(key, "--expires", "60");
    for (const changed of [
      url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
      url.replace(encodeURI(key), encodeURI(other)),
      url.replace(/attachment/, "inline"),
      url.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
    ]) {
      expect(changed).not.toBe(url);
      expect((await fetch(changed)).status).toBe(403);
    }
    expect((await fetch(url, { method: "PUT", body: "x" })).status).toBe(403);
  });

  test("never puts signature or key id on stderr, with --debug either", async () => {
    const key = await world.attach("T-1", "a.txt", "hello");
    const { stdout, stderr } = await world.run(["attach", "presign", key, "--debug"]);
    const { searchParams } = new URL(stdout.trim());
    expect(stderr).not.toContain(searchParams.get("X-Amz-Signature"));
    expect(stderr).not.toContain(world.s3.credentials.secretAccessKey);
  });
});

/** Between one and two hours from now. */
const NEXT_HOUR = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 3_600_000);

describe("an object that can't be read for as long as the link would last", () => {
  test.each([
    ["is archived", {}, /archived[^]*hint: .*attach thaw T-1 /],
    ["is on its way", { "x-amz-restore": 'ongoing-request="true"' }, /being brought back from the archive/],
  ])("gets none while it %s: exit 9", async (_, headers, said) => {
    const key = await world.attach("T-1", "a.txt", "hello");
    headSays({ "x-amz-storage-class": "GLACIER", ...headers });
    const { status, stdout, stderr } = await world.run(["attach", "presign", key]);
    expect({ status, stdout }).toEqual({ status: 9, stdout: "" });
    expect(stderr).toMatch(said);
  });

  test.each([
    ["thaw", { "x-amz-storage-class": "GLACIER", "x-amz-restore": 'ongoing-request="false", expiry-date="AT"' }],
    ["expiry", { "x-amz-expiration": 'expiry-date="AT", rule-id="old"' }],
  ])("gets one that says when it ends: %s", async (limitedBy, headers) => {
    const key = await world.attach("T-1", "a.txt", "hello");
    headSays(
      Object.fromEntries(
        Object.entries(headers).map(([name, text]) => [name, text.replace("AT", NEXT_HOUR.toUTCString())]),
      ),
    );
    const { status, document } = await world.json(["attach", "presign", key, "--expires", "7d"]);
    expect(status).toBe(0);
    expect(firstOf(document)).toMatchObject({ limitedBy, expiresAt: NEXT_HOUR.toISOString() });
    expect(document["warnings"]).toEqual([expect.stringContaining(NEXT_HOUR.toISOString())]);
    expect((await world.run(["attach", "presign", key, "--expires", "7d", "--exact"])).status).toBe(9);
    expect(firstOf((await world.json(["attach", "presign", key, "--expires", "60"])).document)).toMatchObject({
      limitedBy: "request",
    });
  });
});

describe("upload --link on a bucket", () => {
  test("says when a rule of the bucket removes the attachment before the link ends", async () => {
    await world.write("a.txt", "hello");
    const headers = { etag: '"e"', "x-amz-expiration": `expiry-date="${NEXT_HOUR.toUTCString()}", rule-id="r"` };
    world.s3.fault({ operation: "PutObject" }, reply({ status: 200, headers }));
    const { document } = await world.json(["attach", "upload", "T-1", "a.txt", "--link", "--expires", "7d"]);
    expect(document["warnings"]).toEqual([
      expect.stringMatching(/ends when the store's rules remove the attachment, at /),
    ]);
  });

  test("prints a link that works, and Markdown with it", async () => {
    await world.write("a.txt", "hello");
    const { status, stdout } = await world.run(["attach", "upload", "T-1", "a.txt", "--link", "--expires", "5m"]);
    expect(status).toBe(0);
    expect(await (await fetch(stdout.trim())).text()).toBe("hello");
    const { stdout: markdown } = await world.run(["attach", "upload", "T-1", "a.txt", "--markdown"]);
    const [, url = ""] = /^\[a\.txt\]\((\S+)\)\n$/.exec(markdown) ?? [];
    expect(await (await fetch(url)).text()).toBe("hello");
  });

  test("attaches nothing where nobody could read it by the link: exit 9", async () => {
    await world.write("a.txt", "hello");
    const words = ["attach", "upload", "T-1", "a.txt", "--link", "--storage-class"];
    expect(await world.run([...words, "glacier"])).toMatchObject({ status: 9, stdout: "" });
    expect(itemsOf((await world.json(["attach", "list", "T-1"])).document)).toEqual([]);
    expect((await world.run([...words, "GLACIER_IR"])).status).toBe(0);
  });
});
