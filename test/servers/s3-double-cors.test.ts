import {
  DeleteBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  PutBucketCorsCommand,
  PutBucketPolicyCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { clientOf, double, refusal } from "./support.ts";

const ORIGIN = "https://app.example.com";
const RULE = {
  AllowedOrigins: ["https://*.example.com"],
  AllowedMethods: ["PUT"],
  AllowedHeaders: ["content-type", "x-amz-meta-*"],
  ExposeHeaders: ["ETag"],
  MaxAgeSeconds: 60,
};

async function asked(headers: Record<string, string>, rules: readonly (typeof RULE)[] = [RULE]): Promise<Response> {
  const s3 = await double();
  if (rules.length > 0) {
    const CORSConfiguration = { CORSRules: [...rules] };
    await clientOf(s3).send(new PutBucketCorsCommand({ Bucket: "b", CORSConfiguration }));
  }
  return await fetch(`${s3.endpoint}/b/tasks/1/a?X-Amz-Signature=none`, { method: "OPTIONS", headers });
}

test("a preflight that a rule allows is answered with what it allows, without a signature", async () => {
  const reply = await asked({
    Origin: ORIGIN,
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "Content-Type, x-amz-meta-name",
  });
  expect(reply.status).toBe(200);
  expect(Object.fromEntries([...reply.headers].filter(([name]) => name.startsWith("access-control")))).toEqual({
    "access-control-allow-origin": ORIGIN,
    "access-control-allow-methods": "PUT",
    "access-control-allow-headers": "content-type, x-amz-meta-name",
    "access-control-expose-headers": "ETag",
    "access-control-max-age": "60",
  });
});

test.each([
  ["another origin", { Origin: "https://example.com", "Access-Control-Request-Method": "PUT" }, 403],
  ["another method", { Origin: ORIGIN, "Access-Control-Request-Method": "DELETE" }, 403],
  [
    "another header",
    { Origin: ORIGIN, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "if-none-match" },
    403,
  ],
  ["no origin", { "Access-Control-Request-Method": "PUT" }, 400],
  ["no method", { Origin: ORIGIN }, 400],
])("%s is refused, with no word that would let a browser on", async (_, headers, status) => {
  const reply = await asked(headers);
  expect([reply.status, reply.headers.get("access-control-allow-origin")]).toEqual([status, null]);
});

test("without rules CORS is not enabled", async () => {
  const reply = await asked({ Origin: ORIGIN, "Access-Control-Request-Method": "PUT" }, []);
  expect([reply.status, await reply.text()]).toEqual([403, expect.stringContaining("CORS is not enabled")]);
});

test("a policy that lets everybody in is public, one with a condition is not", async () => {
  const client = clientOf(await double());
  const read = new GetBucketPolicyStatusCommand({ Bucket: "b" });
  expect((await refusal(client.send(read))).name).toBe("NoSuchBucketPolicy");
  const isPublic = async (statement: object): Promise<boolean | undefined> => {
    const Policy = JSON.stringify({ Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*", ...statement }] });
    await client.send(new PutBucketPolicyCommand({ Bucket: "b", Policy }));
    return (await client.send(read)).PolicyStatus?.IsPublic;
  };
  expect(await isPublic({ Principal: "*" })).toBe(true);
  expect(await isPublic({ Principal: { AWS: "*" } })).toBe(true);
  expect(await isPublic({ Principal: "*", Condition: { Bool: { "aws:SecureTransport": "true" } } })).toBe(false);
  expect(await isPublic({ Principal: { AWS: "arn:aws:iam::1:root" } })).toBe(false);
  await client.send(new DeleteBucketPolicyCommand({ Bucket: "b" }));
});
