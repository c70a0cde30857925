/** The scripts beside this read like a user at work; each runs in a fresh folder, with taskflow on the PATH. */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { createSandbox } from "../bin/support.ts";
import { hasTool } from "../tools.ts";

const scripts = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".sh") && name !== "helpers.sh");

for (const script of scripts) {
  const file = path.join(import.meta.dirname, script);
  const [, needs = ""] = /^# needs: (.*)$/m.exec(readFileSync(file, "utf8")) ?? [];
  const missing = needs.split(" ").some((tool) => tool !== "" && !hasTool(tool));
  test.skipIf(missing)(`a user's session: ${script.replace(/\.sh$/, "").replaceAll("-", " ")}`, async () => {
    const sandbox = await createSandbox();
    const { status, stderr } = await sandbox.launch(["bash", file], { traces: true }).finished;
    expect(status, stderr).toBe(0);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
}
