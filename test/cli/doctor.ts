/** What the tests of `doctor` look for: one check's finding, by its id. */
import { expect } from "vitest";
import type { RunOptions, World } from "./support.ts";

export interface Finding {
  readonly id: string;
  readonly status: "ok" | "warn" | "fail" | "skip";
  readonly message: string;
  readonly fix: string | null;
}

export interface Examination {
  readonly exit: number;
  readonly checks: readonly Finding[];
  /** The finding of one check; fails where there is none. */
  of(id: string): Finding;
  /** `id status` of all that is neither ok nor skipped. */
  readonly faults: readonly string[];
}

/** Runs `doctor` with --json: the document is as the schema says, each id is there once. */
export async function examine(
  world: Pick<World, "json">,
  words: readonly string[] = [],
  options: RunOptions = {},
): Promise<Examination> {
  const { status: exit, document } = await world.json(["attach", "doctor", ...words], {
    nodeVersion: "22.14.0",
    ...options,
  });
  const checks = document["checks"] as readonly Finding[];
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  return {
    exit,
    checks,
    faults: checks
      .filter(({ status }) => status === "warn" || status === "fail")
      .map(({ id, status }) => `${id} ${status}`),
    of(id) {
      const found = checks.find((check) => check.id === id);
      if (found === undefined) throw new Error(`no check ${id} among ${checks.map((check) => check.id).join(", ")}`);
      return found;
    },
  };
}
