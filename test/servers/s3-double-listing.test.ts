import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { ListObjectsV2CommandInput, S3Client } from "@aws-sdk/client-s3";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sameToken, truncatedWithoutToken } from "./s3-double/faults.ts";
import { clientOf, double, refusal } from "./support.ts";

async function listAll(client: S3Client, more: Partial<ListObjectsV2CommandInput> = {}): Promise<string[]> {
  const keys: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket: "plain", ...more, ContinuationToken }));
    keys.push(...(page.Contents ?? []).map(({ Key = "" }) => Key));
    expect(page.KeyCount).toBe((page.Contents ?? []).length);
    ContinuationToken = page.NextContinuationToken;
    expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
  } while (ContinuationToken !== undefined);
  return keys;
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

test("property: whatever the keys, prefix, start and page size, a listing is what a sorted array says", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  const key = fc.string({
    unit: fc.constantFrom("a", "b", "/", "-", ".", "é", "\ue000", "😀", " ", "+"),
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key, { maxLength: 12 }),
      fc.oneof(fc.constant(""), key),
      fc.option(key),
      fc.integer({ min: 1, max: 5 }),
      async (keys, Prefix, StartAfter, MaxKeys) => {
        for (const each of keys) s3.plant("plain", each, "x");
        const expected = keys
          .filter((each) => each.startsWith(Prefix) && (StartAfter === null || byBytes(each, StartAfter) > 0))
          .sort(byBytes);
        const seen = await listAll(client, { Prefix, MaxKeys, ...(StartAfter === null ? {} : { StartAfter }) });
        for (const each of keys) s3.delete("plain", each);
        expect(seen).toEqual(expected);
      },
    ),
    { numRuns: 40 },
  );
});

test("a page has 1,000 keys at most, or fewer where the test says so", async () => {
  const s3 = await double();
  for (let n = 0; n < 1001; n += 1) s3.plant("plain", `k${String(n).padStart(4, "0")}`, "x");
  const client = clientOf(s3);
  const page = await client.send(new ListObjectsV2Command({ Bucket: "plain", MaxKeys: 5000 }));
  expect([page.Contents?.length, page.IsTruncated, page.Name]).toEqual([1000, true, "plain"]);
  const small = await double({ limits: { listPage: 2 } });
  for (const key of ["a", "b", "c"]) small.plant("plain", key, "x");
  expect(await listAll(clientOf(small))).toEqual(["a", "b", "c"]);
  expect(small.requests).toHaveLength(2);
});

test("with encoding-type=url keys and prefixes are encoded", async () => {
  const s3 = await double();
  s3.plant("plain", "a b/\u0001&é+", "x");
  const page = await clientOf(s3).send(
    new ListObjectsV2Command({ Bucket: "plain", Prefix: "a b", EncodingType: "url" }),
  );
  expect([page.Contents?.[0]?.Key, page.Prefix, page.EncodingType]).toEqual(["a+b/%01%26%C3%A9%2B", "a+b", "url"]);
});

test("a delimiter gathers keys into common prefixes, each once, over pages too", async () => {
  const s3 = await double();
  for (const key of ["a/1", "a/2", "b", "c/1"]) s3.plant("plain", key, "x");
  const client = clientOf(s3);
  const first = await client.send(new ListObjectsV2Command({ Bucket: "plain", Delimiter: "/", MaxKeys: 1 }));
  expect(first.CommonPrefixes).toEqual([{ Prefix: "a/" }]);
  const rest = await client.send(
    new ListObjectsV2Command({ Bucket: "plain", Delimiter: "/", ContinuationToken: first.NextContinuationToken }),
  );
  expect([rest.CommonPrefixes, rest.Contents?.map(({ Key }) => Key)]).toEqual([[{ Prefix: "c/" }], ["b"]]);
});

test("a token that it didn't give is InvalidArgument", async () => {
  const list = new ListObjectsV2Command({ Bucket: "plain", ContinuationToken: "what?" });
  expect((await refusal(clientOf(await double()).send(list))).name).toBe("InvalidArgument");
});

test("a broken listing gives one token for ever, and takes it; or says that there is more and gives none", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  s3.plant("plain", "a", "x");
  const fault = s3.fault({ operation: "ListObjectsV2" }, sameToken());
  const first = await client.send(new ListObjectsV2Command({ Bucket: "plain" }));
  const second = await client.send(
    new ListObjectsV2Command({ Bucket: "plain", ContinuationToken: first.NextContinuationToken }),
  );
  expect([second.NextContinuationToken, second.IsTruncated]).toEqual([first.NextContinuationToken, true]);
  expect(fault.hits).toBe(2);
  fault.remove();
  s3.fault({ operation: "ListObjectsV2" }, truncatedWithoutToken());
  const none = await client.send(new ListObjectsV2Command({ Bucket: "plain" }));
  expect([none.IsTruncated, none.NextContinuationToken]).toEqual([true, undefined]);
});
