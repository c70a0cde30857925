/** How the parts may know each other, read off their imports: `cli → config, attachments → storage → errors`. */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = path.join(import.meta.dirname, "..");

interface Import {
  /** Relative to the repository, or a package's name. */
  readonly target: string;
  readonly dynamic: boolean;
}

/** Code without comments, so that a word in one is no use of it. */
function codeOf(file: string): string {
  return readFileSync(path.join(ROOT, file), "utf8")
    .replaceAll(/\/\*.*?\*\//gs, "")
    .replaceAll(/(^|\s)\/\/.*$/gm, "");
}

function filesIn(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|mts|mjs)$/.test(name))
    .map((name) => `${folder}/${name.replaceAll(path.sep, "/")}`);
}

function importsOf(file: string): Import[] {
  const code = codeOf(file);
  const named = (pattern: RegExp, dynamic: boolean): Import[] =>
    [...code.matchAll(pattern)].map(([, text = ""]) => ({
      target: text.startsWith(".") ? path.posix.join(path.posix.dirname(file), text) : text,
      dynamic,
    }));
  return [
    ...named(/\b(?:import|export)\b[^;"']*?\bfrom\s*["']([^"']+)["']/g, false),
    ...named(/^\s*import\s*["']([^"']+)["']/gm, false),
    ...named(/\bimport\s*\(\s*["']([^"']+)["']\s*\)/g, true),
  ];
}

/** `src/attachments/…` is `attachments`, `src/errors.ts` is `errors`. */
function layerOf(file: string): string {
  return (file.split("/")[1] ?? "").replace(/\.ts$/, "");
}

/** What each layer may import beside itself. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  storage: ["errors"],
  config: ["storage", "errors"],
  attachments: ["storage", "errors"],
  server: ["attachments", "storage", "errors"],
  index: ["attachments", "storage", "errors"],
  cli: ["config", "server", "attachments", "storage", "errors", "schema"],
};

/** The packages that only the layers here may know. */
const PACKAGES: readonly [pattern: RegExp, allowed: RegExp][] = [
  [/^@aws-sdk\/|^@smithy\//, /^src\/storage\/s3\//],
  [/^commander$/, /^src\/cli\//],
  [/^(ora|cli-table3|string-width)$/, /^src\/cli\/output\//],
  [/^conf$/, /^src\/config\/write-user-file\.ts$/],
];

const sources = filesIn("src");

describe("imports", () => {
  test.each(sources)("%s", (file) => {
    const layer = layerOf(file);
    for (const { target, dynamic } of importsOf(file)) {
      if (target.startsWith("src/")) {
        expect([target, [layer, ...(ARROWS[layer] ?? [])]]).toEqual([
          target,
          expect.arrayContaining([layerOf(target)]),
        ]);
        const driver = /^src\/storage\/(fs|s3)\//.exec(target)?.[0];
        if (driver !== undefined && !file.startsWith(driver)) {
          // Only the registry names the drivers, and loads them when one is opened.
          expect([target, file, dynamic]).toEqual([target, "src/storage/registry.ts", true]);
        }
      } else {
        expect(target).not.toMatch(/^\.|^\/|^test\//);
        for (const [pattern, allowed] of PACKAGES) if (pattern.test(target)) expect(file).toMatch(allowed);
      }
    }
  });

  test("there are some, so that this reads what it thinks it reads", () => {
    expect(importsOf("src/storage/registry.ts")).toContainEqual({ target: "src/storage/fs/driver.ts", dynamic: true });
    expect(sources.flatMap((file) => importsOf(file)).length).toBeGreaterThan(300);
  });

  test("the library reaches neither the command line nor the settings, by whatever way", () => {
    const reached = new Set<string>();
    const reach = (file: string): void => {
      if (reached.has(file) || !file.startsWith("src/")) return;
      reached.add(file);
      for (const { target } of importsOf(file)) if (target.endsWith(".ts")) reach(target);
    };
    reach("src/index.ts");
    expect([...reached].filter((file) => /^src\/(cli|config|server)\//.test(file))).toEqual([]);
  });

  test("nothing of a driver or the command line is loaded before it is asked for", () => {
    const eager = new Set<string>();
    const reach = (file: string): void => {
      if (eager.has(file)) return;
      eager.add(file);
      for (const { target, dynamic } of importsOf(file)) if (!dynamic) reach0(target, file);
    };
    const reach0 = (target: string, from: string): void => {
      // A type is gone when the code runs.
      const typeOnly = new RegExp(`import type [^;]*from "[^"]*${path.posix.basename(target)}"`).test(codeOf(from));
      if (target.endsWith(".ts") && !typeOnly) reach(target);
    };
    reach("src/cli/main.ts");
    expect([...eager].filter((file) => /^src\/(storage\/(fs|s3)|server|cli\/actions)\//.test(file))).toEqual([]);
  });
});

test("only src/cli/context.ts, and what loads it, touches the process and the console", () => {
  const touching = sources.filter((file) => {
    // A built-in module is nothing of this process's, however it is loaded.
    const code = codeOf(file).replaceAll("process.getBuiltinModule", "");
    return /(?<![\w."'`/-])(process|console)\s*[.[(?]|from "node:process"/.test(code);
  });
  expect(touching).toEqual(["src/cli/bundles.ts", "src/cli/context.ts"]);
});

test("there is one copy of the S3 client, whoever depends on it, and all of the SDK's S3 packages are of its version", () => {
  const lock = JSON.parse(readFileSync(path.join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version?: string }>;
  };
  const versionsOf = (name: string): unknown[] =>
    Object.entries(lock.packages)
      .filter(([at]) => at.endsWith(`node_modules/@aws-sdk/${name}`))
      .map(([, { version }]) => version);
  const [version] = versionsOf("client-s3");
  expect(version).toMatch(/^3\./);
  for (const name of ["client-s3", "s3-presigned-post", "s3-request-presigner"]) {
    expect({ name, versions: versionsOf(name) }).toEqual({ name, versions: [version] });
  }
});

test("no test is left out, nor is one the only one", () => {
  const tests = filesIn("test").filter((file) => !file.endsWith("architecture.test.ts"));
  const pattern = /\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:only|skip|todo|fails)\b/;
  expect(tests.filter((file) => pattern.test(codeOf(file)))).toEqual([]);
});
