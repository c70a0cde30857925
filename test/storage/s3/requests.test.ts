/** Which requests are sent: each costs money and a round trip. */
import { describe, expect, test } from "vitest";
import { bytesOf, calm, collect, concat, keysOf, putOptions, putText, sha256 } from "../../conformance/bodies.ts";
import { bodyOf } from "../../conformance/bodies.ts";
import { TaskflowError } from "../../../src/errors.ts";
import { reply, resetBefore, silent, slowDown } from "../../servers/s3-double/faults.ts";
import { KEY, MiB, asked, double, driverOn, fileOf, versionsOf } from "./support.ts";

describe("put", () => {
  test("a small file is one PUT, with digest and condition, and no look before or after", async () => {
    const s3 = await double();
    const driver = await driverOn(s3);
    await putText(driver, KEY, "hello");
    expect(asked(s3)).toEqual(["PutObject 200"]);
    const headers = s3.requests[0]?.headers ?? {};
    expect(headers["if-none-match"]).toBe("*");
    expect(headers["x-amz-meta-sha256"]).toBe(sha256(Buffer.from("hello")));
    expect(headers["x-amz-content-sha256"]).toBe(sha256(Buffer.from("hello")));
    expect(headers["content-encoding"], "no aws-chunked").toBeUndefined();
    expect(headers["x-amz-trailer"]).toBeUndefined();
    expect(headers["expect"]).toBeUndefined();
  });

  test("exactly the part size is one PUT still, a byte more is in parts", async () => {
    const s3 = await double();
    const driver = await driverOn(s3);
    await driver.put(`${KEY}-1`, fileOf(bytesOf(8 * MiB)), putOptions());
    expect(asked(s3)).toEqual(["PutObject 200"]);
    s3.clear();
    await driver.put(`${KEY}-2`, fileOf(bytesOf(8 * MiB + 1)), putOptions());
    // Where it isn't AWS it looks first, and again at the end: some stores don't know the condition there.
    expect(asked(s3)).toEqual([
      "HeadObject NoSuchKey",
      "CreateMultipartUpload 200",
      "UploadPart 200",
      "UploadPart 200",
      "HeadObject NoSuchKey",
      "CompleteMultipartUpload 200",
    ]);
    expect(s3.uploads("b")).toEqual([]);
  });

  test("parts go four at a time, over connections that are kept", async () => {
    const s3 = await double({ discard: true });
    const driver = await driverOn(s3);
    let reading = 0;
    let most = 0;
    const file = fileOf(bytesOf(90 * MiB));
    await driver.put(
      KEY,
      {
        ...file,
        async readAt(buffer, position, length) {
          reading += 1;
          most = Math.max(most, reading);
          const count = (await file.readAt?.(buffer, position, length)) ?? 0;
          await new Promise((resolve) => setTimeout(resolve, 5));
          reading -= 1;
          return count;
        },
      },
      putOptions(),
    );
    expect(s3.requests.filter(({ operation }) => operation === "UploadPart")).toHaveLength(12);
    expect(most).toBe(4);
    expect(s3.connections, "not one for each").toBeLessThan(10);
  });

  test("what is hashed before it is sent is counted as read, and again as sent", async () => {
    const s3 = await double({ discard: true });
    const driver = await driverOn(s3);
    const bytes = bytesOf(9 * MiB);
    for (const body of [fileOf(bytes), bodyOf(bytes, { size: null })]) {
      const counted: ["read" | "sent", number][] = [];
      await driver.put(
        KEY,
        body,
        putOptions({
          onRead: (count) => void counted.push(["read", count]),
          onBytes: (count) => void counted.push(["sent", count]),
        }),
      );
      const sumOf = (what: string): number =>
        counted.filter(([kind]) => kind === what).reduce((sum, [, count]) => sum + count, 0);
      expect([sumOf("read"), sumOf("sent")]).toEqual([9 * MiB, 9 * MiB]);
      const firstSent = counted.findIndex(([kind]) => kind === "sent");
      expect(counted.slice(firstSent).every(([kind]) => kind === "sent")).toBe(true);
      s3.delete("b", KEY);
    }
  });

  describe.each([200_000, null])("bytes of one PUT, of a body that tells the size %s,", (size) => {
    const bytes = bytesOf(200_000);

    test("count once they are there, and not while a server is silent", async () => {
      const s3 = await double();
      const driver = await driverOn(s3);
      const stop = new AbortController();
      s3.fault({ operation: "PutObject" }, silent());
      const options = putOptions({ signal: stop.signal, onBytes: (count) => (sum += count) });
      let sum = 0;
      const put = driver.put(KEY, bodyOf(bytes, { size }), options);
      await s3.arrival({ operation: "PutObject" });
      expect(sum).toBe(0);
      stop.abort(new TaskflowError("interrupted", "stopped"));
      await expect(put).rejects.toMatchObject({ code: "interrupted" });
      expect(sum).toBe(0);
    });

    test("count once where they went twice, and not at all where they were refused", async () => {
      const s3 = await double();
      const driver = await driverOn(s3);
      let sum = 0;
      let most = 0;
      const onBytes = (count: number): void => {
        sum += count;
        most = Math.max(most, sum);
      };
      s3.fault({ operation: "PutObject", times: 1 }, resetBefore(100_000));
      await driver.put(KEY, bodyOf(bytes, { size }), putOptions({ onBytes }));
      expect({ sum, most }).toEqual({ sum: bytes.length, most: bytes.length });
      s3.fault({ operation: "PutObject" }, reply({ status: 403, code: "AccessDenied" }));
      await expect(driver.put(`${KEY}-2`, bodyOf(bytes, { size }), putOptions({ onBytes }))).rejects.toMatchObject({
        code: "access_denied",
      });
      expect(sum).toBe(bytes.length);
    });
  });

  test("a pipe of a few bytes is one PUT, a long one is in parts", async () => {
    const s3 = await double();
    const driver = await driverOn(s3);
    await driver.put(`${KEY}-1`, bodyOf(bytesOf(1000), { size: null }), putOptions());
    expect(asked(s3)).toEqual(["PutObject 200"]);
    s3.clear();
    const bytes = bytesOf(9 * MiB);
    await driver.put(`${KEY}-2`, bodyOf(bytes, { size: null }), putOptions());
    expect(s3.requests.filter(({ operation }) => operation === "UploadPart")).toHaveLength(2);
    expect(Buffer.compare(s3.bytes("b", `${KEY}-2`) ?? Buffer.alloc(0), bytes)).toBe(0);
  });
});

describe("list", () => {
  test("a page is one request, and no object is looked at", async () => {
    const s3 = await double({ limits: { listPage: 10 } });
    for (let n = 0; n < 25; n += 1) s3.plant("b", `tasks/1/${String(n).padStart(3, "0")} +%é&`, "x");
    const driver = await driverOn(s3);
    expect(await keysOf(driver.list("tasks/", { signal: calm }))).toEqual(s3.keys("b"));
    expect(asked(s3)).toEqual(["ListObjectsV2 200", "ListObjectsV2 200", "ListObjectsV2 200"]);
  });

  test("rows come before the next page is asked for", async () => {
    const s3 = await double({ limits: { listPage: 10 } });
    for (let n = 0; n < 25; n += 1) s3.plant("b", `tasks/1/${n}`, "x");
    const driver = await driverOn(s3);
    for await (const row of driver.list("", { signal: calm })) {
      expect(row.key).toBe("tasks/1/0");
      break;
    }
    expect(s3.requests).toHaveLength(1);
  });
});

describe("get", () => {
  test("is one request; the connection is used again", async () => {
    const s3 = await double();
    s3.plant("b", KEY, bytesOf(300_000));
    const driver = await driverOn(s3);
    for (let n = 0; n < 3; n += 1) {
      const { chunks } = await driver.get(KEY, { signal: calm });
      expect(await concat(chunks)).toHaveLength(300_000);
    }
    expect(s3.requests.filter(({ operation }) => operation === "GetObject")).toHaveLength(3);
    expect(s3.connections, "the next may begin before the last is given back").toBeLessThanOrEqual(2);
  });
});

describe("delete and undelete", () => {
  test("a thousand keys are one request, two thousand and one are three", async () => {
    const s3 = await double();
    const driver = await driverOn(s3);
    const keys = Array.from({ length: 2001 }, (_, n) => `tasks/1/${n}`);
    await collect(driver.delete(keys, { signal: calm }));
    expect(asked(s3)).toEqual(["DeleteObjects 200", "DeleteObjects 200", "DeleteObjects 200"]);
  });

  test("neighbours are looked up in one listing, and brought back in one request", async () => {
    const s3 = await double();
    const keys = Array.from({ length: 30 }, (_, n) => `tasks/1/${String(n).padStart(2, "0")}`);
    for (const key of keys) {
      s3.plant("b", key, "x");
      s3.delete("b", key);
    }
    const driver = await driverOn(s3);
    expect(await collect(versionsOf(driver).undelete(keys, { signal: calm }))).toEqual(keys.map((key) => ({ key })));
    const others = s3.requests.filter(({ operation }) => operation !== "HeadObject");
    expect(others.map(({ operation }) => operation)).toEqual(["ListObjectVersions", "DeleteObjects"]);
  });

  test("a listing of neighbours that fails for a while is not made for each of them", async () => {
    const s3 = await double();
    const keys = Array.from({ length: 30 }, (_, n) => `tasks/1/${String(n).padStart(2, "0")}`);
    for (const key of keys) {
      s3.plant("b", key, "x");
      s3.delete("b", key);
    }
    s3.fault({ operation: "ListObjectVersions" }, slowDown(Infinity, 0));
    const driver = await driverOn(s3);
    const results = await collect(versionsOf(driver).undelete(keys, { signal: calm }));
    expect(results.map(({ error }) => error?.code)).toEqual(keys.map(() => "throttled"));
    expect(asked(s3).length).toBeLessThanOrEqual(5);
    expect(s3.keys("b")).toEqual([]);
  });

  test("purge removes the data before the markers, each in a request of its own", async () => {
    const s3 = await double();
    s3.plant("b", KEY, "one");
    s3.plant("b", KEY, "two");
    const driver = await driverOn(s3);
    expect(await collect(versionsOf(driver).purge([KEY], { signal: calm }))).toEqual([{ key: KEY }]);
    expect(asked(s3)).toEqual([
      "ListObjectVersions 200",
      "DeleteObjects 200",
      "DeleteObjects 200",
      "DeleteObjects 200",
    ]);
    expect(s3.versions("b", KEY)).toEqual([]);
  });

  test("whether a delete can be undone is asked once", async () => {
    const s3 = await double();
    const [kept, plain] = [await driverOn(s3), await driverOn(s3, { bucket: "plain" })];
    expect(await kept.versions?.keepsDeleted?.({ signal: calm })).toBe(true);
    expect(await kept.versions?.keepsDeleted?.({ signal: calm })).toBe(true);
    expect(await plain.versions?.keepsDeleted?.({ signal: calm })).toBe(false);
    expect(asked(s3)).toEqual(["GetBucketVersioning 200", "GetBucketVersioning 200"]);
  });
});
