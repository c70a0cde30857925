import { chmodSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { noStoreError } from "../../src/config/which-store.ts";
import { failure, project, UID } from "./project.ts";

describe("which store", () => {
  const S3 = { USE_S3: "true", AWS_S3_BUCKET: "acme" };

  test("--store comes first", async () => {
    const { store, repo } = project();
    const env = { ...S3, TASKFLOW_STORE: "s3://other" };
    expect(await store({ env, flags: { store: "./x" } })).toMatchObject({
      kind: "folder",
      path: path.join(repo, "x"),
      explicit: true,
      exists: false,
      origin: { name: "--store" },
    });
  });

  test("TASKFLOW_STORE comes before USE_S3", async () => {
    const { store } = project();
    expect(await store({ env: { ...S3, TASKFLOW_STORE: "s3://other" } })).toMatchObject({
      kind: "s3",
      bucket: "other",
      origin: { name: "TASKFLOW_STORE", text: "the environment" },
    });
  });

  test("TASKFLOW_STORE of .env is relative to that file", async () => {
    const { store, write, repo } = project();
    write("repo/.env", "TASKFLOW_STORE=./files");
    expect(await store({ cwd: write("repo/a/") })).toMatchObject({ path: path.join(repo, "files"), explicit: true });
  });

  test("USE_S3=true uses AWS_S3_BUCKET, and tells where its name comes from", async () => {
    const { store, write } = project();
    const file = write("repo/.env", "USE_S3=true\nAWS_S3_BUCKET=acme\n");
    expect(await store()).toMatchObject({ kind: "s3", bucket: "acme", origin: { text: `${file} line 2` } });
  });

  test("USE_S3=true without AWS_S3_BUCKET is exit 5 with the way out", async () => {
    const { store } = project();
    const error = await failure(() => store({ env: { USE_S3: "yes" } }));
    expect(error).toMatchObject({ code: "bad_config", exit: 5 });
    expect(error.message).toBe("USE_S3 is true in the environment, but AWS_S3_BUCKET is not set");
    expect(error.hint).toContain("--store s3://BUCKET");
  });

  test("AWS_S3_BUCKET without USE_S3 is exit 5: it names where and both ways out", async () => {
    const { store, write } = project();
    const file = write("repo/.env", "\nAWS_S3_BUCKET=acme\n");
    write("repo/uploads/.taskflow/");
    const error = await failure(() => store());
    expect(error).toMatchObject({ code: "bad_config", exit: 5 });
    expect(error.message).toContain(`AWS_S3_BUCKET is set in ${file} line 2`);
    expect(error.hint).toBe("set USE_S3=true to use the bucket, or USE_S3=false to use a folder");
  });

  test("USE_S3=false is a quiet folder, whatever AWS_S3_BUCKET says", async () => {
    const { store, repo } = project();
    const env = { USE_S3: "off", AWS_S3_BUCKET: "acme" };
    expect(await store({ env })).toMatchObject({ kind: "folder", path: path.join(repo, "uploads"), explicit: false });
  });

  test("USE_S3=flase is exit 5", async () => {
    const { store, write } = project();
    const file = write("repo/.env", "AWS_REGION=x\nUSE_S3=flase");
    expect((await failure(() => store())).message).toBe(`USE_S3=flase in ${file} line 2: neither true nor false`);
  });

  test.each(["bare", "s3:/x", "s3://bucket/prefix", ""])("--store %j is exit 2", async (text) => {
    const { store } = project();
    expect((await failure(() => store({ flags: { store: text } }))).exit).toBe(2);
  });

  test("the same in TASKFLOW_STORE is exit 5 and names the place", async () => {
    const { store, write } = project();
    const file = write("repo/.env", "TASKFLOW_STORE=bare");
    const error = await failure(() => store());
    expect(error.code).toBe("bad_config");
    expect(error.message).toContain(`TASKFLOW_STORE=bare in ${file} line 1`);
  });

  test("a store of the user file gives way to USE_S3 of the environment or .env", async () => {
    const { store, write, repo } = project();
    write(".config/taskflow/config.json", '{"store":"/srv/files"}');
    expect(await store()).toMatchObject({ path: "/srv/files", explicit: true });
    expect(await store({ env: S3 })).toMatchObject({ kind: "s3", bucket: "acme" });
    expect(await store({ env: { USE_S3: "0" } })).toMatchObject({ path: "/srv/files" });
    write(".config/taskflow/config.json", '{"store":"s3://kept"}');
    expect(await store()).toMatchObject({ bucket: "kept" });
    expect(await store({ env: { USE_S3: "0" } })).toMatchObject({ path: path.join(repo, "uploads") });
  });

  test("settings of the store that nobody asks for may be wrong", async () => {
    const { store } = project();
    expect(await store({ env: { TASKFLOW_MAX_SIZE: "10MB", AWS_REGION: "!" } })).toMatchObject({ kind: "folder" });
  });
});

describe("the folder", () => {
  test("is the nearest existing store upward", async () => {
    const { store, write, repo } = project();
    write("repo/uploads/.taskflow/");
    const cwd = write("repo/a/b/");
    expect(await store({ cwd })).toMatchObject({
      path: path.join(repo, "uploads"),
      exists: true,
      explicit: false,
      looked: [path.join(cwd, "uploads"), path.join(repo, "a/uploads"), path.join(repo, "uploads")],
    });
    write("repo/a/uploads/.taskflow/");
    expect(await store({ cwd })).toMatchObject({ path: path.join(repo, "a/uploads") });
  });

  test("may be one that only the old back end filled", async () => {
    const { store, write, repo } = project();
    write("repo/uploads/tasks/1/abc123_document.pdf", "x");
    expect(await store({ cwd: write("repo/a/") })).toMatchObject({ path: path.join(repo, "uploads"), exists: true });
  });

  test("is no store where `uploads` holds something else, or is a file", async () => {
    const { store, write } = project();
    write("repo/uploads/pictures/");
    write("repo/a/uploads", "a file");
    expect(await store({ cwd: write("repo/a/") })).toMatchObject({ exists: false });
  });

  test("is not looked for above the repository's root, nor above HOME", async () => {
    const { store, write, repo, home } = project();
    write("uploads/.taskflow/");
    write("../uploads/.taskflow/");
    expect(await store()).toMatchObject({ path: path.join(repo, "uploads"), exists: false });
    expect(await store({ cwd: write("plain/a/") })).toMatchObject({ path: path.join(home, "uploads"), exists: true });
    expect(await store({ cwd: write("plain/a/"), home: write("plain/") })).toMatchObject({ exists: false });
  });

  test("that would be made is beside the nearest .env or .git", async () => {
    const { store, write, repo } = project();
    const cwd = write("repo/a/b/");
    expect(await store({ cwd })).toMatchObject({ path: path.join(repo, "uploads"), exists: false, explicit: false });
    write("repo/a/.env", "");
    expect(await store({ cwd })).toMatchObject({ path: path.join(repo, "a/uploads") });
  });

  test("that would be made is in the working directory where there is neither", async () => {
    const { store, write } = project();
    const cwd = write("plain/a/");
    expect(await store({ cwd })).toMatchObject({ path: path.join(cwd, "uploads") });
    expect(await store({ cwd, home: null })).toMatchObject({ looked: [path.join(cwd, "uploads")] });
  });

  test("named by --store exists where it is a store", async () => {
    const { store, write } = project();
    const named = write("elsewhere/tasks/1/x", "x");
    const folder = path.dirname(path.dirname(path.dirname(named)));
    expect(await store({ flags: { store: folder } })).toMatchObject({ path: folder, exists: true, explicit: true });
  });

  test("that can't be looked into is `permission`, not the next one up", async () => {
    const { home, store, write } = project();
    write("repo/uploads/.taskflow/");
    const locked = write("repo/a/uploads/");
    chmodSync(locked, 0o000);
    chmodSync(path.dirname(home), 0o755);
    const error = await asNobody(() => failure(() => store({ cwd: path.dirname(locked) })));
    expect(error).toMatchObject({ code: "permission", exit: 5 });
  });

  test("is not guessed where a .env was left out that may name a bucket", async () => {
    const { store, write } = project();
    chmodSync(write("repo/.env", "USE_S3=true"), 0o666);
    const error = await failure(() => store());
    expect(error).toMatchObject({ code: "bad_config", exit: 5 });
    expect(error.message).toMatch(/which store\? .*\.env is not read: everyone may write it; chmod o-w/);
    expect(await store({ env: { USE_S3: "false" } })).toMatchObject({ kind: "folder" });
    expect(await store({ flags: { store: "./x" } })).toMatchObject({ kind: "folder", explicit: true });
  });
});

describe("no_store", () => {
  test("names where it looked and says how to make one", async () => {
    const { store, write, repo } = project();
    const choice = await store({ cwd: write("repo/a/") });
    if (choice.kind !== "folder") throw new Error("not a folder");
    const error = noStoreError(choice);
    expect(error).toMatchObject({ code: "no_store", exit: 5 });
    expect(error.message).toBe(`no store: looked for ${path.join(repo, "a/uploads")}, ${path.join(repo, "uploads")}`);
    expect(error.hint).toContain(`taskflow attach upload TASK FILE makes one at ${path.join(repo, "uploads")}`);
  });

  test("names who named the folder", async () => {
    const { store, write, repo } = project();
    const file = write("repo/.env", "TASKFLOW_STORE=./files");
    const choice = await store();
    if (choice.kind !== "folder") throw new Error("not a folder");
    expect(noStoreError(choice).message).toBe(
      `no store at ${path.join(repo, "files")} (TASKFLOW_STORE in ${file} line 1)`,
    );
  });
});

/** Modes don't stop root: for such a test it becomes somebody else. */
async function asNobody<T>(run: () => Promise<T>): Promise<T> {
  if (UID !== 0) return await run();
  process.seteuid?.(65_534);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}
