/** What a machine gets that has nothing but Node: the packed package, without node_modules beside it. */
import { cp, mkdir, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { ROOT, createSandbox } from "./support.ts";
import type { Sandbox } from "./support.ts";

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox();
});

/** `npm pack` without its scripts: a build now would take dist/ from under the other tests. */
async function pack(): Promise<{ filename: string; files: string[] }> {
  const { status, stdout, stderr } = await sandbox.bash(
    `npm pack --ignore-scripts --json --pack-destination ${JSON.stringify(sandbox.cwd)}`,
    { cwd: ROOT },
  );
  expect(status, stderr).toBe(0);
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  return { filename: packed?.filename ?? "", files: (packed?.files ?? []).map(({ path }) => path) };
}

test("without a build, the program says how it is built, and exits with 1", async () => {
  await cp(path.join(ROOT, "bin"), sandbox.path("clone/bin"), { recursive: true });
  await writeFile(sandbox.path("clone/package.json"), '{ "type": "module" }');
  const { status, stdout, stderr } = await sandbox.bash("clone/bin/taskflow --version");
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: "",
    stderr: "taskflow: not built, run `npm run build`\n",
  });
});

test("a build that lacks a part of itself is a fault, not one that is not built", async () => {
  await cp(path.join(ROOT, "bin"), sandbox.path("clone/bin"), { recursive: true });
  await mkdir(sandbox.path("clone/dist/cli"), { recursive: true });
  await writeFile(sandbox.path("clone/dist/cli/bundles.cjs"), 'require("./gone.cjs")');
  const { status, stderr } = await sandbox.bash("clone/bin/taskflow --version", { traces: true });
  expect(status).toBe(1);
  expect(stderr).toContain("gone.cjs");
  expect(stderr).not.toContain("not built");
});

test("the package holds the program, its build, the schema and the licence; no tests, no sources", async () => {
  const { files } = await pack();
  for (const name of ["bin/taskflow", "dist/cli/main.cjs", "src/schema/attach-v1.json", "LICENSE", "README.md"]) {
    expect(files).toContain(name);
  }
  const others = files.filter(
    (name) =>
      !/^(?:bin\/(?:taskflow|package\.json)|dist\/(?:cli|lib)\/.*|src\/schema\/[\w-]+\.json|LICENSE|[A-Z]+\.md|package\.json)$/.test(
        name,
      ),
  );
  expect(others).toEqual([]);
});

test("the packed program runs where nothing else is: version, upload, list, table, download, progress", async () => {
  const { filename } = await pack();
  const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string };
  const run = await sandbox.bash(
    `set -e
     tar xzf ${filename}; mkdir empty; cd empty
     PATH=$PWD/../package/bin:$PATH
     taskflow --version
     echo hello > hello.txt
     taskflow attach upload T-1 hello.txt
     taskflow attach list T-1
     taskflow attach download T-1 hello.txt -o copy.txt
     cmp hello.txt copy.txt
     taskflow help exit-codes
     taskflow config list`,
  );
  expect(run.status, run.stderr).toBe(0);
  expect(run.stdout).toContain(`taskflow ${version}\n`);
});

const { codeFolder } = createRequire(import.meta.url)("../../dist/cli/bundles.cjs") as { codeFolder: string };
const CODE = path.relative(ROOT, codeFolder);

test("the build kept the code of what people run most, and V8 takes all of it", async () => {
  const names = readdirSync(path.join(ROOT, CODE));
  for (const name of ["main", "cli.actions.upload", "cli.actions.list", "storage.fs.driver", "storage.s3.driver"]) {
    expect(names).toContain(`${name}.cjs`);
  }
  const script = `
    const { loadBundle, tookCode } = require(${JSON.stringify(path.join(ROOT, "dist/cli/bundles.cjs"))});
    for (const name of ${JSON.stringify(names)}) {
      loadBundle(name);
      if (!tookCode(name)) console.log(name);
    }`;
  await writeFile(sandbox.path("took.cjs"), script);
  const { status, stdout, stderr } = await sandbox.bash(`${process.execPath} took.cjs`);
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});

test("stack traces name the program's own files, not those of who built it", async () => {
  const { stderr } = await sandbox.bash(`${path.join(ROOT, "bin/taskflow")} attach list T-1 --debug --nope`, {
    traces: true,
  });
  expect(stderr).toMatch(/\(dist\/cli\/main\.cjs:\d+:\d+\)$/m);
  expect(stderr).not.toContain(".tmp/");
});

test("without that code, or with some that is hurt, the program runs all the same", async () => {
  for (const name of ["bin", "dist"])
    await cp(path.join(ROOT, name), sandbox.path(`copy/${name}`), { recursive: true });
  const code = sandbox.path("copy", CODE);
  const upload = "echo hello > hello.txt; copy/bin/taskflow attach upload T-1 hello.txt";
  const expectUpload = async (): Promise<void> => {
    const { status, stderr } = await sandbox.bash(upload);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining("attached 1 file") as string });
  };
  for (const name of await readdir(code)) await truncate(path.join(code, name), 100);
  await expectUpload();
  for (const name of await readdir(code)) await writeFile(path.join(code, name), "no code");
  await expectUpload();
  for (const name of await readdir(code)) {
    await rm(path.join(code, name));
    await mkdir(path.join(code, name));
  }
  await expectUpload();
  await rm(code, { recursive: true });
  await expectUpload();
});
