/** `doctor` of a folder while `serve` runs, or doesn't. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TaskflowError } from "../../src/errors.ts";
import { examine } from "./doctor.ts";
import { createWorld } from "./support.ts";
import type { World } from "./support.ts";

const ORIGIN = "https://app.example.com";
const open: (() => Promise<unknown>)[] = [];
let world: World;

beforeEach(async () => {
  world = await createWorld();
  await world.attach("T-1", "a.txt");
});

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** A server of another kind, whose port is free again once it is closed. */
async function stranger(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((_, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> => new Promise((resolve) => void server.close(() => resolve()));
  return { url: `http://127.0.0.1:${port}`, close };
}

async function serve(...words: string[]): Promise<{ TASKFLOW_URL: string }> {
  const { url, close } = await stranger();
  await close();
  const env = { TASKFLOW_URL: url };
  const stop = new AbortController();
  const done = world.run(["attach", "serve", ...words], { env, signal: stop.signal });
  open.push(() => {
    stop.abort(new TaskflowError("interrupted", "interrupted by SIGTERM", { exit: 143 }));
    return done;
  });
  await vi.waitFor(async () => expect((await fetch(`${url}/_health`)).status).toBe(200), { timeout: 5000 });
  return env;
}

test("a serve that runs is found, with the key that it accepts", async () => {
  const env = await serve();
  const { exit, of } = await examine(world, [], { env });
  expect([exit, of("serve")]).toMatchObject([0, { status: "ok", message: `answers at ${env.TASKFLOW_URL}` }]);
  expect(of("link-key").message).toMatch(/url-key, key [0-9a-f]{8}$/);
});

test("a page's preflight is allowed where serve was started with its origin", async () => {
  const env = await serve("--cors", ORIGIN);
  expect((await examine(world, ["--origin", ORIGIN], { env })).of("cors")).toMatchObject({
    status: "ok",
    message: `pages of ${ORIGIN} may use links`,
  });
  const { exit, of } = await examine(world, ["--origin", "https://other.example.com"], { env });
  expect([exit, of("cors")]).toMatchObject([
    5,
    { status: "fail", fix: "start it with: taskflow attach serve --cors https://other.example.com" },
  ]);
});

test("without --cors no page may", async () => {
  const env = await serve();
  expect((await examine(world, ["--origin", ORIGIN], { env })).of("cors").status).toBe("fail");
});

test("a serve that was wanted and doesn't answer is worth a look, one that nobody set is skipped", async () => {
  const { url, close } = await stranger();
  await close();
  const wanted = await examine(world, ["--origin", ORIGIN], { env: { TASKFLOW_URL: url } });
  expect([wanted.exit, wanted.of("serve"), wanted.of("cors").status]).toMatchObject([
    0,
    { status: "warn", message: `nothing answers at ${url}`, fix: "links work while this runs: taskflow attach serve" },
    "skip",
  ]);
});

test("what answers may be another server", async () => {
  const { url, close } = await stranger();
  open.push(close);
  expect((await examine(world, [], { env: { TASKFLOW_URL: url } })).of("serve").message).toBe(
    `what answers at ${url} is not serve (404)`,
  );
});
