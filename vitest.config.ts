import { defineConfig } from "vitest/config";

const env = {
  NO_COLOR: "1",
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
};

/** These ask an S3: the double, which `npm test` runs them on, or the server that is named, and then they run alone. */
const ON_A_SERVER = [
  "test/storage/s3/conformance.test.ts",
  "test/servers/scene.test.ts",
  "test/servers/links.test.ts",
  "test/servers/copy.test.ts",
  "test/servers/resume.test.ts",
  "test/servers/doctor.test.ts",
  "test/servers/lifecycle.test.ts",
];
/** This one does by itself what lifecycle rules say. */
const ON_CEPH = "test/servers/lifecycle-ceph.test.ts";
const server = process.env["TASKFLOW_TEST_SERVER"];

const unit = {
  name: "unit",
  include: ["test/**/*.test.ts"],
  exclude: ["test/**/kill-sweep.test.ts", "test/terraform/**", ...ON_A_SERVER, ON_CEPH],
  // A busy machine takes its time; what must be quick says so itself.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  env,
};

const killSweep = {
  name: "kill-sweep",
  include: ["test/**/kill-sweep.test.ts"],
  testTimeout: 300_000,
  hookTimeout: 60_000,
  env,
};

const onServer = {
  name: server ?? "double",
  include: server === "ceph" ? [...ON_A_SERVER, ON_CEPH] : ON_A_SERVER,
  // One server at a time.
  fileParallelism: server === undefined,
  testTimeout: 120_000,
  hookTimeout: 180_000,
  env,
};

const terraform = {
  name: "terraform",
  include: ["test/terraform/**/*.test.ts"],
  // One of them waits for the provider most of the time.
  maxWorkers: 2,
  testTimeout: 180_000,
  // The provider waits for most of a minute before it believes the lifecycle.
  hookTimeout: 300_000,
  env,
};

/** `npm test` runs all but terraform; `npx vitest run --project unit` leaves out what takes minutes. */
const projects = server === undefined ? [unit, killSweep, onServer, terraform] : [onServer];

export default defineConfig({ test: { projects: projects.map((test) => ({ test })) } });
