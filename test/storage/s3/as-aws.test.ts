/** The S3 driver as it works with AWS, which is asked for more than others are: the double, over TLS, under a name of AWS. */
import { afterAll } from "vitest";
import { openS3 } from "../../../src/storage/s3/driver.ts";
import { describeBuckets } from "../../conformance/on-buckets.ts";
import { onTheTick } from "../../conformance/s3-harness.ts";
import { startAsAws } from "../../servers/as-aws.ts";
import { openBuckets } from "../../servers/buckets.ts";
import { settingsFor, startTestServer } from "../../servers/test-server.ts";

const server = await startTestServer();
const buckets = openBuckets(server);
const aws = await startAsAws(server.endpoint ?? "");

afterAll(async () => {
  buckets.close();
  await aws.stop();
  await server.stop();
});

const { endpoint, caFile } = aws;
const settings = { ...settingsFor(server), endpoint, caFile };
describeBuckets({ server, buckets, run: "" }, "as AWS, over TLS", "Enabled", 300, async (bucket) =>
  onTheTick(await openS3(bucket, { s3: () => settings })),
);
