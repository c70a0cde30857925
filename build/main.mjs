/**
 * Builds dist/: the command line as CommonJS bundles (an ES module start costs a third more than a CommonJS one), and
 * the library as ES modules with types, by tsc.
 *
 * esbuild splits only ES modules. So every dynamic `import()` in src/ becomes a bundle of its own here, loaded on
 * first use: the price is that a module used by two bundles is in both (which is why TaskflowError carries a brand).
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");
const require = createRequire(import.meta.url);

if (process.argv.includes("--if-possible") && !isInstalled("esbuild")) {
  // `npm install --omit=dev` runs `prepare` without the tools; a packed install brings dist/ with it.
  process.exit(0);
}

const { build } = await import("esbuild");
const stage = path.join(root, `dist.${process.pid}.tmp`);
try {
  await buildCommandLine(path.join(stage, "cli"));
  warmUp(path.join(stage, "cli"));
  if (existsSync(path.join(root, "src/index.ts"))) buildLibrary(path.join(stage, "lib"));
  replaceFolder(stage, path.join(root, "dist"));
} finally {
  rmSync(stage, { recursive: true, force: true });
}

async function buildCommandLine(outdir) {
  const queue = new Map([["main", path.join(root, "src/cli/main.ts")]]);
  const done = new Set();
  while (done.size < queue.size) {
    for (const [name, entry] of queue) {
      if (done.has(name)) continue;
      done.add(name);
      await bundle(name, entry, outdir, queue);
    }
  }
  const bundles = readdirSync(outdir).toSorted(compareText);
  const hash = createHash("sha256");
  for (const name of bundles) hash.update(name).update(readFileSync(path.join(outdir, name)));
  const id = hash.digest("hex").slice(0, 16);
  await bundle("bundles", path.join(root, "src/cli/bundles.ts"), outdir, queue, { BUNDLES_ID: JSON.stringify(id) });
  writeFileSync(path.join(outdir, "package.json"), '{ "type": "commonjs" }\n');
}

/** Where that fails, commands are only slower to start: a package is built in stranger places than this. */
function warmUp(outdir) {
  let folder = null;
  try {
    folder = mkdtempSync(path.join(tmpdir(), "taskflow-build-"));
    const { status, stderr, error } = spawnSync(
      process.execPath,
      [path.join(import.meta.dirname, "warm-up.mjs"), outdir],
      {
        cwd: folder,
        env: { HOME: folder, PATH: process.env.PATH },
        stdio: ["ignore", "ignore", "pipe"],
        encoding: "utf8",
        timeout: 60_000,
      },
    );
    if (status === 0) return;
    // Some of the commands are meant to fail: only what came last is of interest.
    throw error ?? new Error(stderr.slice(Math.max(0, stderr.lastIndexOf("error: "))));
  } catch (error) {
    process.stderr.write(`the program was built, but starts slower than it could: ${error.message}\n`);
  } finally {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  }
}

async function bundle(name, entry, outdir, queue, define = {}) {
  const lazy = {
    name: "lazy-bundles",
    setup(hooks) {
      hooks.onResolve({ filter: /./ }, async (request) => {
        if (request.kind !== "dynamic-import" || request.pluginData === "resolving") return undefined;
        if (request.path.startsWith("node:")) return undefined;
        const { path: file, errors } = await hooks.resolve(request.path, {
          kind: "import-statement",
          resolveDir: request.resolveDir,
          importer: request.importer,
          pluginData: "resolving",
        });
        if (errors.length > 0) return { errors };
        // Libraries that load a part of themselves lazily keep it within their own bundle; but for the ways to sign in,
        // which are a quarter of the SDK and of no use to whoever has keys.
        const signsIn = /^@(?:aws-sdk|smithy)\/credential-provider-/.test(request.path);
        if (request.importer.includes("node_modules") && !signsIn) return undefined;
        const bundleName = nameOf(file, request.path);
        queue.set(bundleName, file);
        return { path: `./${bundleName}.cjs`, external: true };
      });
    },
  };
  await build({
    entryPoints: [entry],
    outfile: path.join(outdir, `${name}.cjs`),
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    // `import()` of CommonJS goes through the ES module loader, which reads each bundle twice: 80 ms a command.
    supported: { "dynamic-import": false },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "warning",
    define: {
      ...define,
      TASKFLOW_VERSION: JSON.stringify(require("../package.json").version),
      // Seven lines on stderr about Node 20: `doctor` says it in one, for who wants to know.
      "process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED": '"true"',
    },
    // ES modules first: what of the SDK isn't used stays out, a quarter of it.
    ...(name.startsWith("storage.s3.") || /^lib\.-(?:aws-sdk|smithy)-/.test(name)
      ? { mainFields: ["module", "main"] }
      : {}),
    plugins: [lazy, lateBuiltin("child_process", "commander"), typesWithExtension()],
  });
}

/** A built-in module that a library imports at once and we never reach: loaded when something of it is used. */
function lateBuiltin(name, library) {
  return {
    name: `late-${name}`,
    setup(hooks) {
      hooks.onResolve({ filter: new RegExp(`^node:${name}$`) }, ({ importer }) =>
        importer.includes(`node_modules/${library}/`) ? { path: name, namespace: "late" } : undefined,
      );
      hooks.onLoad({ filter: new RegExp(`^${name}$`), namespace: "late" }, () => ({
        contents: `module.exports = new Proxy({}, { get: (_, key) => process.getBuiltinModule("node:${name}")[key] });`,
      }));
    },
  };
}

/** mime-types looks types up by extension: two thirds of its database have none, and cost 10 ms an upload. */
function typesWithExtension() {
  return {
    name: "types-with-extension",
    setup(hooks) {
      hooks.onLoad({ filter: /mime-db[\\/]db\.json$/ }, ({ path: file }) => {
        const types = Object.entries(require(file)).filter(([, { extensions }]) => extensions !== undefined);
        const json = JSON.stringify(Object.fromEntries(types));
        return { contents: `module.exports = JSON.parse(${JSON.stringify(json)});` };
      });
    },
  };
}

function nameOf(file, request) {
  const inside = path.relative(path.join(root, "src"), file);
  if (inside.startsWith("..")) return `lib.${request.replace(/[^a-z0-9]+/gi, "-")}`;
  return inside.replace(/\.ts$/, "").replaceAll(path.sep, ".");
}

function buildLibrary(outdir) {
  const tsc = path.join(path.dirname(require.resolve("typescript/package.json")), "bin/tsc");
  const { status } = spawnSync(
    process.execPath,
    [tsc, "-p", path.join(root, "tsconfig.lib.json"), "--outDir", outdir],
    { stdio: "inherit" },
  );
  if (status !== 0) throw new Error("the library does not compile");
}

/** The old build stays usable until the new one is whole, also for a second build at the same time. */
function replaceFolder(from, to) {
  mkdirSync(path.dirname(to), { recursive: true });
  const old = `${to}.${process.pid}.old`;
  if (existsSync(to)) renameSync(to, old);
  renameSync(from, to);
  rmSync(old, { recursive: true, force: true });
}

function compareText(a, b) {
  return a < b ? -1 : Number(a > b);
}

function isInstalled(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
