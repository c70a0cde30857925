/** The library as a stranger gets it: packed, installed in an empty folder, the README's example run as it stands. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");
const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "taskflow-library-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [, example = ""] = /```ts\n([^]*?)```/.exec(readFileSync(path.join(ROOT, "README.md"), "utf8")) ?? [];

function run(command: string, words: readonly string[], cwd = folder): string {
  return execFileSync(command, words, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

beforeAll(() => {
  // dist/ is built by `npm test`; building it again here would pull it from under other tests.
  const packed = run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], ROOT).trim();
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }\n');
  run("npm", ["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", path.join(folder, packed)]);
}, 240_000);

test("the README's example runs from a packed install in an empty folder", () => {
  writeFileSync(path.join(folder, "example.js"), example);
  expect(run(process.execPath, ["example.js"])).toBe("hello.txt 5\n");
  expect(readFileSync(path.join(folder, "copies/hello.txt"), "utf8")).toBe("hello");
  expect(readdirSync(path.join(folder, "uploads/tasks/T-42"))).toEqual([
    expect.stringMatching(/^[0-9a-f-]{36}_hello\.txt$/),
  ]);
});

test("its types are there, and hold for the README's example", () => {
  writeFileSync(path.join(folder, "example.ts"), example);
  const options = [
    "--noEmit",
    "--strict",
    "--module",
    "nodenext",
    "--target",
    "es2023",
    "--skipLibCheck",
    "example.ts",
  ];
  const types = ["--types", "node", "--typeRoots", path.join(ROOT, "node_modules/@types")];
  expect(run(process.execPath, [path.join(ROOT, "node_modules/typescript/bin/tsc"), ...options, ...types])).toBe("");
});

test("a link to what is in a folder is good for whoever has the key that signed it; verify tells right from wrong", () => {
  const script = `import { AttachmentStore, openStorage } from "@taskflow/attachments";
    import { writeFileSync } from "node:fs";
    const links = { baseUrl: "http://127.0.0.1:8787", keyFile: "${folder}/keys/links", uid: ${process.getuid?.() ?? 0} };
    const attachments = new AttachmentStore(await openStorage("./linked", { create: true, links }));
    const { attachment: { id, key } } = await attachments.upload("T-1", { bytes: "x", name: "a.txt" });
    const { request, name } = await attachments.link("T-1", id, { expiresSeconds: 60, name: "b.txt" });
    const { request: put } = await attachments.uploadLink("T-1", "c.txt", { type: "text/plain" });
    const { verified } = await attachments.verify("T-1", "a.txt");
    writeFileSync("linked/" + key, "y");
    const now = await attachments.verify("T-1", "a.txt");
    await attachments.close();
    const without = new AttachmentStore(await openStorage("./linked"));
    const refusal = await without.link("T-1", id).catch(({ code }) => code);
    await without.close();
    console.log(request.url.slice(0, 24), name, put.method, JSON.stringify(put.headers), verified, now.verified, refusal);`;
  writeFileSync(path.join(folder, "links.js"), script);
  expect(run(process.execPath, ["links.js"])).toBe(
    'http://127.0.0.1:8787/_/ b.txt PUT {"Content-Type":"text/plain"} sha256 mismatch unsupported\n',
  );
  expect(statSync(path.join(folder, "keys/links")).mode & 0o777).toBe(0o600);
});

test("every failure is a TaskflowError with a code to act on", () => {
  const script = `import { AttachmentStore, isTaskflowError, openStorage } from "@taskflow/attachments";
    const codes = [];
    const failing = async (work) => { try { await work(); } catch (error) { codes.push(isTaskflowError(error) && error.code); } };
    await failing(() => openStorage("nowhere"));
    await failing(() => openStorage("./nowhere"));
    const attachments = new AttachmentStore(await openStorage("./other", { create: true }));
    await failing(() => attachments.upload("a b", { bytes: "x", name: "x" }));
    await failing(() => attachments.upload("T-1", { file: "missing" }));
    await failing(() => attachments.show("T-1", "missing"));
    const { attachment } = await attachments.upload("T-1", { bytes: "", name: "empty" });
    await attachments.delete("T-1", attachment.id);
    await failing(() => attachments.show("T-1", attachment.id));
    await attachments.undelete("T-1", attachment.id);
    await failing(() => attachments.undelete("T-1", attachment.id));
    await attachments.purge("T-1", "empty");
    await failing(() => attachments.undelete("T-1", attachment.id));
    await attachments.close();
    console.log(codes.join(" "));`;
  writeFileSync(path.join(folder, "failures.js"), script);
  expect(run(process.execPath, ["failures.js"])).toBe(
    "usage no_store usage not_found not_found not_found exists not_found\n",
  );
});
