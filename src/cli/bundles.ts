/**
 * Loads the bundles of the built program, each with the code that V8 made of it when it was built: compiling them anew
 * is a quarter of the time that a short command takes. Node keeps such code itself from 22.1 on, but in a folder that it
 * fills as it runs (node:module, "Module compile cache").
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Script } from "node:vm";

/** Of the bundles that this was built with: V8 itself compares no more of them than their lengths. */
declare const BUNDLES_ID: string;

/** Code is of use to one version of V8; it refuses what other settings of it made, and compiles then. */
const CODE = path.join(__dirname, "code", `${process.versions.v8}-${process.arch}-${BUNDLES_ID}`);
const hasCode = existsSync(CODE);

interface Bundle {
  readonly module: { exports: unknown };
  readonly script: Script;
}

type Wrapper = (
  exports: unknown,
  load: (id: string) => unknown,
  module: Bundle["module"],
  filename: string,
  directory: string,
) => void;

const bundles = new Map<string, Bundle>();

/** The folder of the kept code. */
export const codeFolder = CODE;

/** What the bundle exports; it is run once. Errors: those of reading and running it. */
export function loadBundle(name: string): unknown {
  const known = bundles.get(name);
  if (known !== undefined) return known.module.exports;
  const file = path.join(__dirname, name);
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, "utf8")}\n})`;
  const cachedData = hasCode ? codeOf(name) : undefined;
  // For stack traces. It is kept with the code, so it must hold wherever the program is.
  const filename = `dist/cli/${name}`;
  const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
  const module: Bundle["module"] = { exports: {} };
  bundles.set(name, { module, script });
  const run = script.runInThisContext() as Wrapper;
  run(module.exports, (id) => (id.startsWith("./") ? loadBundle(id.slice(2)) : require(id)), module, file, __dirname);
  return module.exports;
}

/** Whether V8 took the code that was kept of a bundle, instead of compiling it. */
export function tookCode(name: string): boolean {
  return bundles.get(name)?.script.cachedDataRejected === false;
}

/** Keeps the code of all bundles that were loaded, and of their functions that were called. For the build. */
export function saveCode(): void {
  mkdirSync(CODE, { recursive: true });
  for (const [name, { script }] of bundles) writeFileSync(path.join(CODE, name), script.createCachedData());
}

function codeOf(name: string): Buffer | undefined {
  const file = path.join(CODE, name);
  try {
    return existsSync(file) ? readFileSync(file) : undefined;
  } catch {
    // Nothing depends on it.
    return undefined;
  }
}
