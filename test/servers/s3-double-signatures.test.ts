/** The verifier, held against AWS's own numbers, then against everything that is nearly right. */
import * as fc from "fast-check";
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { rawHttp, requestBytes } from "./raw-http.ts";
import { signatureOf } from "./s3-double/sigv4.ts";
import { double } from "./support.ts";

const hash = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const EMPTY = hash("");
const USER = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const IN_2013 = { users: [USER], buckets: { examplebucket: {} }, now: () => new Date("2013-05-24T00:00:00Z") };
const HOST = { host: "examplebucket.s3.amazonaws.com" };
const DATE = { "x-amz-date": "20130524T000000Z" };

function authorization(signedHeaders: string, signature: string, region = "us-east-1"): Record<string, string> {
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/${region}/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`,
  };
}

const BARE = "host;x-amz-content-sha256;x-amz-date";

/** As printed in "Signature Calculations for the Authorization Header" and "Using Query Parameters" of the S3 API reference. */
const EXAMPLES: [string, string, Record<string, string>, string, number][] = [
  [
    "GET",
    "/test.txt",
    {
      range: "bytes=0-9",
      "x-amz-content-sha256": EMPTY,
      ...DATE,
      ...authorization(
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
      ),
    },
    "",
    206,
  ],
  [
    "PUT",
    "/test$file.text",
    {
      date: "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      ...DATE,
      ...authorization(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
      ),
    },
    "Welcome to Amazon S3.",
    200,
  ],
  // There is none in the double's bucket.
  [
    "GET",
    "/?lifecycle",
    {
      "x-amz-content-sha256": EMPTY,
      ...DATE,
      ...authorization(BARE, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    },
    "",
    404,
  ],
  // The first version of listing, which the double doesn't do.
  [
    "GET",
    "/?max-keys=2&prefix=J",
    {
      "x-amz-content-sha256": EMPTY,
      ...DATE,
      ...authorization(BARE, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    },
    "",
    501,
  ],
  [
    "GET",
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    {},
    "",
    200,
  ],
];

test.each(EXAMPLES)(
  "AWS's own example, %s %s, is accepted, and refused with one digit changed",
  async (method, target, headers, body, status) => {
    const s3 = await double(IN_2013);
    s3.plant("examplebucket", "test.txt", "the bytes of test.txt");
    const send = (path: string, more: Record<string, string>): Promise<{ status: number; text: string }> =>
      rawHttp(s3.endpoint, requestBytes(method, path, { ...HOST, ...more }, Buffer.from(body)));
    expect(await send(target, headers)).toMatchObject({ status });
    const other = (text: string): string =>
      text.replace(/(Signature=.*)(.)$/, (_, start: string, last: string) => start + (last === "0" ? "1" : "0"));
    const tampered = await send(
      other(target),
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, other(value)])),
    );
    expect(tampered.status).toBe(403);
    expect(tampered.text).toContain("<Code>SignatureDoesNotMatch</Code>");
  },
);

/** Signed with the double's arithmetic, which the examples above prove. */
function signed(target: string, payload: Uint8Array, headers: Record<string, string>): Record<string, string> {
  const all: Record<string, string> = { ...HOST, ...DATE, "x-amz-content-sha256": hash(payload), ...headers };
  const names = Object.keys(all).sort();
  const [rawPath = "", rawQuery = ""] = target.split("?");
  const wire = { method: "PUT", rawPath, rawQuery, headers: Object.entries(all) };
  const scope = { day: "20130524", region: "us-east-1", service: "s3" };
  const signature = signatureOf(
    wire,
    USER.secretAccessKey,
    scope,
    "20130524T000000Z",
    names,
    all["x-amz-content-sha256"] ?? "",
  );
  return { ...all, ...authorization(names.join(";"), signature) };
}

test("property: whatever byte of a signed request is changed, it is refused and nothing is stored", async () => {
  const s3 = await double(IN_2013);
  const target = "/folder/key-1?x-id=PutObject";
  const payload = Buffer.from("0123456789 payload");
  const headers = signed(target, payload, {
    "content-type": "text/plain",
    "x-amz-meta-name": "report.pdf",
    "if-none-match": "*",
  });
  const request = requestBytes("PUT", target, headers, payload);
  // What no signature covers: the framing, and the header that carries the signature up to its first value.
  const text = request.toString("latin1");
  const free = [
    ...text.matchAll(
      /connection: close|content-length: \d+|authorization: AWS4-HMAC-SHA256 |,SignedHeaders=|,Signature=|\r|\n|: | HTTP\/1\.1/g,
    ),
  ];
  const isFree = (at: number): boolean => free.some((match) => at >= match.index && at < match.index + match[0].length);
  const headEnd = text.indexOf("\r\n\r\n");
  const isInName = (at: number): boolean => at < headEnd && /\n[a-z\d-]+$/i.test(text.slice(0, at + 1));
  const places = [...request.keys()].filter((at) => !isFree(at));
  expect(await rawHttp(s3.endpoint, request)).toMatchObject({ status: 200 });
  s3.delete("examplebucket", "folder/key-1");
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const tampered = Buffer.from(request);
      tampered[at] = (tampered[at] ?? 0) ^ change;
      // Names of headers are the same in either case.
      fc.pre(change !== 0x20 || !isInName(at));
      const { status } = await rawHttp(s3.endpoint, tampered);
      expect(status === 0 || status >= 400, `byte ${at}, ${JSON.stringify(text[at])}`).toBe(true);
    }),
    { numRuns: 300 },
  );
  expect(s3.versions("examplebucket")).toEqual([]);
});

test.each<[string, string, Record<string, string>]>([
  ["an unsigned x-amz header", "AccessDenied", { "x-amz-meta-more": "1" }],
  ["an empty Authorization", "AuthorizationHeaderMalformed", { authorization: "" }],
  ["another scheme", "AuthorizationHeaderMalformed", { authorization: "AWS AKIAIOSFODNN7EXAMPLE:abc" }],
  ["a date without a time", "AccessDenied", { "x-amz-date": "20130524" }],
  ["another day than its scope's", "AuthorizationHeaderMalformed", { "x-amz-date": "20130525T000000Z" }],
  ["a chunked signature", "SignatureDoesNotMatch", { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" }],
])("a signed request with %s is %s", async (_, code, change) => {
  const s3 = await double(IN_2013);
  const headers = { ...signed("/k", Buffer.from("1"), {}), ...change };
  const { text } = await rawHttp(s3.endpoint, requestBytes("PUT", "/k", headers, Buffer.from("1")));
  expect(text).toContain(`<Code>${code}</Code>`);
});

test("a request without a signature is AccessDenied, one with two is InvalidArgument", async () => {
  const s3 = await double(IN_2013);
  expect((await rawHttp(s3.endpoint, requestBytes("PUT", "/k", HOST))).text).toContain("<Code>AccessDenied</Code>");
  const both = requestBytes("GET", EXAMPLES.at(-1)?.[1] ?? "", { ...HOST, ...EXAMPLES[0]?.[2] });
  expect((await rawHttp(s3.endpoint, both)).text).toContain("<Code>InvalidArgument</Code>");
});

test("a body that is chunked or framed by aws-chunked is 501, one of unknown length 411", async () => {
  const s3 = await double(IN_2013);
  const chunked = signed("/k", Buffer.alloc(0), { "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" });
  expect((await rawHttp(s3.endpoint, requestBytes("PUT", "/k", chunked))).text).toMatch(
    /^HTTP\/1.1 501[^]*aws-chunked/,
  );
  const head = Object.entries({ ...signed("/k", Buffer.from("1"), {}), connection: "close" }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const unframed = (more: string): Buffer => Buffer.from(`PUT /k HTTP/1.1\r\n${head.join("")}${more}`, "latin1");
  const transfer = "transfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n";
  expect((await rawHttp(s3.endpoint, unframed(transfer))).text).toContain("<Header>Transfer-Encoding</Header>");
  expect((await rawHttp(s3.endpoint, unframed("\r\n"))).status).toBe(411);
});

test.each([
  ["AuthorizationQueryParametersError", "X-Amz-Expires=86400", "X-Amz-Expires=604801"],
  ["AuthorizationQueryParametersError", "X-Amz-Expires=86400", "X-Amz-Expires=0"],
  ["AuthorizationQueryParametersError", "X-Amz-Expires=86400", "X-Amz-Expires=1e3"],
  ["AuthorizationQueryParametersError", "&X-Amz-Expires=86400", ""],
  ["AuthorizationQueryParametersError", "HMAC-SHA256", "HMAC-SHA1"],
  ["AuthorizationQueryParametersError", "us-east-1", "eu-west-1"],
  ["SignatureDoesNotMatch", "X-Amz-Expires=86400", "X-Amz-Expires=86401"],
  ["SignatureDoesNotMatch", "test.txt", "test2.txt"],
  ["SignatureDoesNotMatch", "X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=host&versionId=null"],
  ["InvalidAccessKeyId", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7NOBODY1"],
  ["AccessDenied", "X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=range"],
  ["InvalidArgument", "X-Amz-Expires=86400", "X-Amz-Expires=86400&X-Amz-Expires=86400"],
])("a presigned URL is %s with %s as %s", async (code, from, to) => {
  const s3 = await double(IN_2013);
  const target = EXAMPLES.at(-1)?.[1] ?? "";
  const { text } = await rawHttp(s3.endpoint, requestBytes("GET", target.replace(from, to), HOST));
  expect(text).toContain(`<Code>${code}</Code>`);
});
