/** A process that works on the same few keys as others do: `racer STORE SEED ROUNDS KEY...`; prints how each call went. */
import fs from "node:fs";
import { isTaskflowError } from "../../../src/errors.ts";
import { openFolder } from "../../../src/storage/fs/driver.ts";
import { bodyOf, calm, collect, concat, putOptions } from "../../conformance/bodies.ts";
import { contentOf } from "./contents.ts";

const [, , store = "", seed = "1", rounds = "100", ...keys] = process.argv;

let state = Number(seed) * 7919;

function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

async function race(): Promise<void> {
  const driver = await openFolder(store, { create: true });
  const { versions } = driver;
  if (versions === undefined) throw new Error("no versions");
  const outcomes: string[] = [];
  const told = (operation: string, key: string, code: string | undefined): void => {
    outcomes.push(`${operation} ${key} ${code ?? "done"}`);
  };
  const codeOf = (error: unknown): string => (isTaskflowError(error) ? error.code : String(error));

  async function step(): Promise<void> {
    const key = keys[random(keys.length)] ?? "";
    const some = [...new Set([key, keys[random(keys.length)] ?? key])];
    const dice = random(100);
    if (dice < 30) {
      await driver.put(key, bodyOf(contentOf(key)), putOptions({ type: "text/x-sweep" })).then(
        () => told("put", key, undefined),
        (error: unknown) => told("put", key, codeOf(error)),
      );
    } else if (dice < 55) {
      for (const { key: one, existed, error } of await collect(driver.delete(some, { signal: calm }))) {
        told("delete", one, error?.code ?? (existed === true ? undefined : "absent"));
      }
    } else if (dice < 80) {
      for (const { key: one, error } of await collect(versions?.undelete(some, { signal: calm }) ?? nothing())) {
        told("undelete", one, error?.code);
      }
    } else if (dice < 84) {
      for (const { key: one, error } of await collect(versions?.purge([key], { signal: calm }) ?? nothing())) {
        told("purge", one, error?.code);
      }
    } else {
      await read(key);
    }
  }

  async function read(key: string): Promise<void> {
    try {
      const { object, chunks } = await driver.get(key, { signal: calm });
      const bytes = await concat(chunks);
      // Between the look at the file and that at its record it may have been purged.
      const isWhole = Buffer.compare(bytes, contentOf(key)) === 0 && object.damaged === undefined;
      told("get", key, isWhole ? undefined : "torn");
    } catch (error) {
      told("get", key, codeOf(error));
    }
    for await (const { key: listed, size } of driver.list("", { signal: calm })) {
      if (size !== contentOf(listed).length) told("list", listed, "torn");
    }
  }

  // Three at a time, so that calls of one process meet too.
  let left = Number(rounds);
  await Promise.all(
    Array.from({ length: 3 }, async () => {
      while ((left -= 1) >= 0) await step();
    }),
  );
  await driver.close();
  fs.writeSync(1, `${outcomes.join("\n")}\n`);
}

async function* nothing(): AsyncGenerator<never> {
  // No versions.
}

race().catch((error: unknown) => {
  fs.writeSync(2, `${String(error)}\n`);
  process.exitCode = 1;
});
