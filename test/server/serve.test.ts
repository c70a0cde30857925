/** What `serve` promises to whoever sends it a request, asked over raw sockets: row by row of what can be wrong with one. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { chmod, mkdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { ask, never, openSite, talk } from "./support.ts";
import type { Site } from "./support.ts";

const TEXT = "0123456789";
const sha256 = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const host = (site: Site): string => `Host: 127.0.0.1:${site.server.port}\r\n`;

async function siteWithFile(
  options?: Parameters<typeof openSite>[0],
): Promise<{ site: Site; key: string; link: string }> {
  const site = await openSite(options);
  const key = await site.attach("file.txt", TEXT);
  return { site, key, link: await site.getLink(key) };
}

describe("a download", () => {
  test("is the file, guarded against everything that browsers do with strangers' files", async () => {
    const { site, link } = await siteWithFile();
    const { status, headers, body } = await ask(site, `GET ${link}`);
    expect({ status, body: body.toString() }).toEqual({ status: 200, body: TEXT });
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "content-length": "10",
      "content-disposition": `attachment; filename="file.txt"; filename*=UTF-8''file.txt`,
      "x-content-type-options": "nosniff",
      "cache-control": "private, no-store",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      "referrer-policy": "no-referrer",
      etag: `"${sha256(TEXT)}"`,
      "repr-digest": `sha-256=:${createHash("sha256").update(TEXT).digest("base64")}:`,
      "accept-ranges": "bytes",
    });
  });

  test("of HEAD is the same without the bytes", async () => {
    const { site, link } = await siteWithFile();
    const get = await ask(site, `GET ${link}`);
    const head = await ask(site, `HEAD ${link}`, { Range: "bytes=0-1" });
    const but = (headers: ReadonlyMap<string, string>) => [...headers].filter(([name]) => name !== "date");
    expect({ status: head.status, body: head.body.length }).toEqual({ status: 200, body: 0 });
    expect(but(head.headers)).toEqual(but(get.headers));
  });

  test.each([
    ["text/html", true, "application/octet-stream", "attachment"],
    ["image/svg+xml", true, "application/octet-stream", "attachment"],
    ["application/xhtml+xml", true, "application/octet-stream", "attachment"],
    ["text/plain", true, "text/plain; charset=utf-8", "inline"],
    ["text/plain; charset=iso-8859-1", true, "text/plain; charset=iso-8859-1", "inline"],
    ["image/png", true, "image/png", "inline"],
    ["IMAGE/PNG", false, "IMAGE/PNG", "attachment"],
    ["application/zip", false, "application/octet-stream", "attachment"],
  ])("of type %s, inline %s, is sent as %s and %s", async (type, inline, sent, shown) => {
    const site = await openSite();
    const link = await site.getLink(await site.attach("x", TEXT, type), { inline });
    const { headers } = await ask(site, `GET ${link}`);
    expect(headers.get("content-type")).toBe(sent);
    expect(headers.get("content-disposition")).toMatch(new RegExp(`^${shown};`));
    expect(headers.get("content-security-policy")).toContain("sandbox");
  });

  test("of a PDF to be shown has no sandbox, in which Chrome shows none", async () => {
    const site = await openSite();
    const link = await site.getLink(await site.attach("x.pdf", TEXT, "application/pdf"), { inline: true });
    const { headers } = await ask(site, `GET ${link}`);
    expect(headers.get("content-type")).toBe("application/pdf");
    expect(headers.get("content-security-policy")).toBeUndefined();
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  test.each([
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=-1", 206, "9", "bytes 9-9/10"],
    ["bytes=5-", 206, "56789", "bytes 5-9/10"],
    ["bytes=0-9", 206, TEXT, "bytes 0-9/10"],
    ["bytes=8-999999999999999999999", 206, "89", "bytes 8-9/10"],
    ["bytes=-99", 206, TEXT, "bytes 0-9/10"],
    ["BYTES=2-3", 206, "23", "bytes 2-3/10"],
    ["bytes=5-2", 200, TEXT, undefined],
    ["bytes=a-b", 200, TEXT, undefined],
    ["bytes=-", 200, TEXT, undefined],
    ["lines=0-1", 200, TEXT, undefined],
    [
      `bytes=${Array.from({ length: 1000 }, (_, at) => `${at}-${at}`)
        .join(",")
        .slice(0, 7000)}`,
      200,
      TEXT,
      undefined,
    ],
    ["bytes=10-", 416, undefined, "bytes */10"],
    ["bytes=99999999999999999999-", 416, undefined, "bytes */10"],
    ["bytes=-0", 416, undefined, "bytes */10"],
  ])("of Range %.30s is %i", async (range, status, body, contentRange) => {
    const { site, link } = await siteWithFile();
    const reply = await ask(site, `GET ${link}`, { Range: range });
    expect(reply.status).toBe(status);
    expect(reply.headers.get("content-range")).toBe(contentRange);
    if (body !== undefined) expect(reply.body.toString()).toBe(body);
    if (status === 206) expect(reply.headers.get("repr-digest")).toContain("sha-256=:");
  });

  test("of an empty file is whole, and of any range of it 416", async () => {
    const site = await openSite();
    const link = await site.getLink(await site.attach("empty", ""));
    expect(await ask(site, `GET ${link}`)).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect((await ask(site, `GET ${link}`, { Range: "bytes=0-0" })).status).toBe(416);
    expect((await ask(site, `GET ${link}`, { Range: "bytes=-1" })).status).toBe(416);
  });

  test("that the client has already is 304, but only for whoever has the link", async () => {
    const { site, link } = await siteWithFile();
    const etag = `"${sha256(TEXT)}"`;
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const reply = await ask(site, `GET ${link}`, { "If-None-Match": known, Range: "bytes=0-1" });
      expect({ known, status: reply.status, body: reply.body.length }).toEqual({ known, status: 304, body: 0 });
      expect(reply.headers.get("etag")).toBe(etag);
    }
    expect((await ask(site, `GET ${link}`, { "If-None-Match": '"other"' })).status).toBe(200);
    expect((await ask(site, `GET ${link.slice(0, -1)}B`, { "If-None-Match": "*" })).status).toBe(403);
  });

  test("is 412 where the client wants another content than there is", async () => {
    const { site, link } = await siteWithFile();
    const etag = `"${sha256(TEXT)}"`;
    const status = async (headers: Record<string, string>) => (await ask(site, `GET ${link}`, headers)).status;
    expect(await status({ "If-Match": '"other"' })).toBe(412);
    expect(await status({ "If-Match": `W/${etag}` })).toBe(412);
    expect(await status({ "If-Match": etag })).toBe(200);
    expect(await status({ "If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT" })).toBe(412);
    expect(await status({ "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT" })).toBe(304);
    expect(await status({ "If-Modified-Since": "1" })).toBe(200);
  });

  test("goes on with a range only where the content is still the one that was begun", async () => {
    const { site, link } = await siteWithFile();
    const status = async (ifRange: string) =>
      (await ask(site, `GET ${link}`, { Range: "bytes=5-", "If-Range": ifRange })).status;
    expect(await status(`"${sha256(TEXT)}"`)).toBe(206);
    expect(await status('"other"')).toBe(200);
    expect(await status(new Date().toUTCString())).toBe(200);
  });

  test("of what another program put into the folder is there too, with a weak ETag and no digest", async () => {
    const site = await openSite();
    await mkdir(path.join(site.root, "tasks", "T-7"), { recursive: true });
    await writeFile(path.join(site.root, "tasks", "T-7", "file1.pdf"), TEXT);
    const { status, headers } = await ask(site, `GET ${await site.getLink("tasks/T-7/file1.pdf")}`);
    expect(status).toBe(200);
    expect(headers.get("etag")).toMatch(/^W\/"/);
    expect(headers.has("repr-digest")).toBe(false);
    expect(headers.get("content-type")).toBe("application/octet-stream");
  });

  test("is cut before its end where the stored bytes are not those that were recorded", async () => {
    const site = await openSite();
    const bytes = randomBytes(1_500_000);
    const key = await site.attach("big.bin", bytes);
    bytes.writeUInt8((bytes.readUInt8(700_000) + 1) % 256, 700_000);
    await chmod(path.join(site.root, key), 0o600);
    await writeFile(path.join(site.root, key), bytes);
    const { status, headers, body } = await ask(site, `GET ${await site.getLink(key)}`);
    expect({ status, length: headers.get("content-length") }).toEqual({ status: 200, length: "1500000" });
    expect(body.length).toBeLessThan(1_500_000);
    expect(site.log.at(-1)?.error?.code).toBe("checksum_mismatch");
    // A client that has checked nothing can check a range by itself.
    const range = await ask(site, `GET ${await site.getLink(key)}`, { Range: "bytes=0-9" });
    expect(range.headers.get("repr-digest")).toContain("sha-256=:");
  });

  test("is 500 and not a byte where the file has another length than was recorded", async () => {
    const { site, key, link } = await siteWithFile();
    await writeFile(path.join(site.root, key), "short");
    const { status, body } = await ask(site, `GET ${link}`);
    expect(status).toBe(500);
    expect(body.toString()).not.toContain("short");
    expect(body.toString()).not.toContain(site.root);
    expect(site.log.at(-1)?.error?.code).toBe("checksum_mismatch");
  });

  test("is 404 where the file was deleted since, and the link works again once it is back", async () => {
    const { site, key, link } = await siteWithFile();
    for await (const { error } of site.driver.delete([key], { signal: never })) expect(error).toBeUndefined();
    expect((await ask(site, `GET ${link}`)).status).toBe(404);
    for await (const { error } of site.driver.versions?.undelete([key], { signal: never }) ?? []) {
      expect(error).toBeUndefined();
    }
    expect((await ask(site, `GET ${link}`)).status).toBe(200);
  });

  test("goes over a connection that is kept, and over HTTP/1.0 without a Host", async () => {
    const { site, link } = await siteWithFile();
    const twice = talk(site, `GET ${link} HTTP/1.1\r\n${host(site)}\r\n`.repeat(2));
    await twice.heard(`${TEXT}HTTP/1.1 200`);
    twice.socket.end();
    expect((await talk(site, `GET ${link} HTTP/1.0\r\n\r\n`).closed).status).toBe(200);
  });
});

describe("a link", () => {
  test("that is tampered with, of another key, ended or for another method is 403, with one body for all", async () => {
    const { site, key, link } = await siteWithFile();
    const inline = await site.getLink(key, { inline: true });
    const put = await site.putLink();
    const other = await openSite();
    const ended = await site.getLink(key, { expiresSeconds: 1 });
    site.now = new Date(site.now.getTime() + 1000);
    const swap = (one: string, two: string): string => `${one.split(".")[0] ?? ""}.${two.split(".")[1] ?? ""}`;
    const asked: [string, string][] = [
      ["GET", `${link.slice(0, 40)}A${link.slice(41)}`],
      ["GET", `${link.slice(0, -1)}${link.endsWith("A") ? "E" : "A"}`],
      ["GET", link.slice(0, -1)],
      ["GET", `${link}A`],
      ["GET", swap(link, inline)],
      ["GET", swap(inline, link)],
      ["GET", await other.getLink(key)],
      ["GET", ended],
      ["GET", put.target],
      ["HEAD", put.target],
      ["PUT", link],
      ["GET", "/_/x"],
      ["GET", "/_/.."],
    ];
    const replies = new Set<string>();
    for (const [method, target] of asked) {
      const { status, body } = await ask(
        site,
        `${method} ${target}`,
        method === "PUT" ? { "Content-Length": "0" } : {},
      );
      expect({ method, target, status }).toEqual({ method, target, status: 403 });
      if (method !== "HEAD") replies.add(body.toString());
    }
    expect([...replies]).toEqual(["this link is not valid, or not any more\n"]);
  });

  test("ends when the clock says so, whatever it is set to", async () => {
    const { site, link } = await siteWithFile();
    expect((await ask(site, `GET ${link}`)).status).toBe(200);
    site.now = new Date(site.now.getTime() + 8 * 24 * 60 * 60 * 1000);
    expect((await ask(site, `GET ${link}`)).status).toBe(403);
    expect(site.log.at(-1)?.note).toBe("expired");
  });

  test.each(["/_/", "/_/a/b", "/_/a.b/c.d", "/_/a?", "/_/a?x=1", "/_/%2e%2e%2fa", "/_/a#b", "/_//"])(
    "that is not one whole token and nothing more is 400: %s",
    async (target) => {
      const site = await openSite();
      expect((await ask(site, `GET ${target}`)).status).toBe(400);
    },
  );

  test("with anything after it is 400, though the token is good", async () => {
    const { site, link } = await siteWithFile();
    for (const more of ["?", "?a=1", "/", "/..", link, "?token=x&token=y"]) {
      expect({ more, status: (await ask(site, `GET ${link}${more}`)).status }).toEqual({ more, status: 400 });
    }
  });

  test("is found nowhere else, however the path is written", async () => {
    const { site, link } = await siteWithFile();
    const targets = [
      "/",
      "/../../etc/passwd",
      "/%2e%2e%2f%2e%2e%2fetc/passwd",
      "/%252e%252e/etc/passwd",
      "/\\..\\..\\etc\\passwd",
      "//evil.example.com/x",
      "http://evil.example.com/x",
      `http://evil.example.com${link}`,
      `//evil.example.com${link}`,
      `/x/..${link}`,
      `/%5F${link.slice(2)}`,
      "*",
      `/tasks/T-1/`,
      "/.taskflow/format",
    ];
    for (const target of targets) {
      expect({ target, status: (await ask(site, `GET ${target}`)).status }).toEqual({ target, status: 404 });
    }
  });

  test("may stand behind the path of TASKFLOW_URL, whether a proxy takes that away or not", async () => {
    const { site, link } = await siteWithFile({ baseUrl: "https://example.com/files" });
    expect((await ask(site, `GET ${link}`)).status).toBe(200);
    expect((await ask(site, `GET /files${link}`, { Host: "example.com" })).status).toBe(200);
    expect((await ask(site, `GET /filesX${link}`)).status).toBe(404);
  });

  test("is never in the log but for the end of its mac", async () => {
    const { logLine } = await import("../../src/server/log-line.ts");
    const { site, link } = await siteWithFile();
    const token = link.slice(3);
    for (const target of [link, `${link}?x`, `/x${link}`, `/x?y=${token}`, `http://h${link}`, `/_/${token}/${token}`]) {
      await ask(site, `GET ${target}`);
    }
    const lines = site.log.map((entry) => logLine(entry, site.now));
    expect(lines[0]).toMatch(/^\S+Z GET \/_\/…[\w-]{6} 200 10 \d+ms tasks\/T-1\/\S+_file\.txt$/);
    for (const line of lines) {
      for (let at = 0; at + 20 < token.length; at += 10) expect(line).not.toContain(token.slice(at, at + 20));
    }
  });
});

describe("an upload", () => {
  const TYPE = { "Content-Type": "text/plain" };
  const put = async (site: Site, target: string, body: string, headers: Record<string, string> = {}) =>
    await ask(site, `PUT ${target}`, { "Content-Length": String(Buffer.byteLength(body)), ...headers }, body);

  test("is stored under the key, name, type and digest of the link, and answered once it is there", async () => {
    const site = await openSite();
    const { key, target } = await site.putLink({ type: "text/plain", size: 10, sha256: sha256(TEXT), name: "ü.txt" });
    const reply = await put(site, target, TEXT, TYPE);
    expect({ status: reply.status, etag: reply.headers.get("etag") }).toEqual({
      status: 201,
      etag: `"${sha256(TEXT)}"`,
    });
    const stored = await site.driver.head(key, { signal: never });
    expect(stored).toMatchObject({
      size: 10,
      type: "text/plain",
      record: { name: "ü.txt", sha256: sha256(TEXT), uploadedBy: null },
    });
    expect(await site.parts()).toEqual([]);
  });

  test("is refused, leaves nothing, and leaves the link as it was where anything differs from the link", async () => {
    const site = await openSite();
    const { key, target } = await site.putLink({ type: "text/plain", size: 10, maxSize: 10, sha256: sha256(TEXT) });
    const chunked = { "Transfer-Encoding": "chunked" };
    const chunks = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
    const raw = async (headers: Record<string, string>, body: string) =>
      (await ask(site, `PUT ${target}`, headers, body)).status;
    expect(await raw({ "Content-Length": "10" }, TEXT)).toBe(415);
    expect(await raw({ "Content-Length": "10", "Content-Type": "text/html" }, TEXT)).toBe(415);
    expect(await raw({ "Content-Length": "10", "Content-Type": "text/plain; charset=utf-8" }, TEXT)).toBe(415);
    expect(await raw({ "Content-Length": "10", ...TYPE, "Content-Encoding": "gzip" }, TEXT)).toBe(415);
    expect(await raw({ "Content-Length": "10", ...TYPE, "Content-Range": "bytes 0-9/10" }, TEXT)).toBe(400);
    expect(await raw({ "Content-Length": "10", ...TYPE, "If-Match": "*" }, TEXT)).toBe(412);
    expect(await raw(TYPE, "")).toBe(411);
    expect(await raw({ "Content-Length": "9", ...TYPE }, TEXT.slice(1))).toBe(400);
    expect(await raw({ "Content-Length": "11", ...TYPE }, `${TEXT}!`)).toBe(413);
    expect(await raw({ ...chunked, ...TYPE }, chunks(TEXT.slice(1)))).toBe(400);
    expect(await raw({ ...chunked, ...TYPE }, chunks(`${TEXT}!`))).toBe(413);
    expect(await raw({ "Content-Length": "10", ...TYPE }, "9876543210")).toBe(400);
    await expect(site.driver.head(key, { signal: never })).rejects.toMatchObject({ code: "not_found" });
    expect(await site.parts()).toEqual([]);
    expect(await raw({ "Content-Length": "10", ...TYPE, "If-None-Match": "*" }, TEXT)).toBe(201);
  });

  test("may come in chunks of any size", async () => {
    const site = await openSite();
    const { key, target } = await site.putLink({ size: 10 });
    const body = `${Array.from(TEXT, (digit) => `1\r\n${digit}\r\n`).join("")}0\r\n\r\n`;
    expect((await ask(site, `PUT ${target}`, { "Transfer-Encoding": "chunked" }, body)).status).toBe(201);
    expect((await site.driver.head(key, { signal: never })).size).toBe(10);
  });

  test("is taken once: the second is 412 while the first is live, deleted, and purged", async () => {
    const site = await openSite();
    const { key, target } = await site.putLink();
    expect((await put(site, target, TEXT)).status).toBe(201);
    expect((await put(site, target, "other")).status).toBe(412);
    for await (const { error } of site.driver.delete([key], { signal: never })) expect(error).toBeUndefined();
    expect((await put(site, target, "other")).status).toBe(412);
    for await (const { error } of site.driver.versions?.purge([key], { signal: never }) ?? []) {
      expect(error).toBeUndefined();
    }
    expect((await put(site, target, "other")).status).toBe(412);
    await expect(site.driver.head(key, { signal: never })).rejects.toMatchObject({ code: "not_found" });
  });

  test("of many at once by one link is one, whole", async () => {
    const site = await openSite();
    const { key, target } = await site.putLink();
    const bodies = Array.from({ length: 12 }, (_, index) => String(index).repeat(5000));
    const statuses = await Promise.all(bodies.map(async (body) => (await put(site, target, body)).status));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([201, ...Array.from({ length: 11 }, () => 412)]);
    const winner = bodies[statuses.indexOf(201)] ?? "";
    const stored = await site.driver.head(key, { signal: never });
    expect({ size: stored.size, sha256: stored.record?.sha256 }).toEqual({
      size: winner.length,
      sha256: sha256(winner),
    });
    expect(await site.parts()).toEqual([]);
  });

  test("is remembered as taken until a day after the link has ended", async () => {
    const site = await openSite();
    const { target } = await site.putLink();
    await put(site, target, TEXT);
    const used = path.join(site.root, ".taskflow", "used");
    const day = 24 * 60 * 60 * 1000;
    site.now = new Date(site.now.getTime() + day);
    await site.presigner.gate.open();
    expect(readdirSync(used)).toHaveLength(1);
    site.now = new Date(site.now.getTime() + day);
    await site.presigner.gate.open();
    expect(readdirSync(used)).toHaveLength(0);
  });

  test("has the type the client says, else the one its bytes or its name show", async () => {
    const site = await openSite();
    const types = async (name: string, headers: Record<string, string>, body = "plain words") => {
      const { key, target } = await site.putLink({ name });
      expect((await put(site, target, body, headers)).status).toBe(201);
      return (await site.driver.head(key, { signal: never })).type;
    };
    expect(await types("a.txt", { "Content-Type": "Text/CSV" })).toBe("text/csv");
    expect(await types("a.txt", {})).toBe("text/plain");
    expect(await types("a.txt", { "Content-Type": "application/x-www-form-urlencoded" })).toBe("text/plain");
    expect(await types("a.txt", { "Content-Type": "nonsense" })).toBe("text/plain");
    expect(await types("a.bin", {}, "%PDF-1.7\n")).toBe("application/pdf");
  });

  test("is held to the policy of this server, whatever the link says", async () => {
    const site = await openSite({ policy: { maxSize: 20, allowedTypes: ["text/*"] } });
    const { target } = await site.putLink({ maxSize: 1000 });
    expect((await put(site, target, "x".repeat(21), TYPE)).status).toBe(413);
    expect((await put(site, target, TEXT, { "Content-Type": "image/png" })).status).toBe(415);
    expect((await put(site, target, TEXT, TYPE)).status).toBe(201);
  });

  test("is asked for only once the head is right: a client that waits for it sends nothing in vain", async () => {
    const site = await openSite();
    const { target } = await site.putLink({ maxSize: 10 });
    const say = (length: number) =>
      talk(site, `PUT ${target} HTTP/1.1\r\n${host(site)}Expect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`);
    const refused = await say(11).closed;
    expect(refused.raw).toMatch(/^HTTP\/1\.1 413 /);
    const taken = say(10);
    await taken.heard("HTTP/1.1 100 Continue");
    taken.socket.write(TEXT);
    await taken.heard("HTTP/1.1 201");
  });

  test("that breaks off leaves nothing, and the link as it was", async () => {
    const site = await openSite();
    const { target } = await site.putLink({ type: "text/plain" });
    const broken = talk(
      site,
      `PUT ${target} HTTP/1.1\r\n${host(site)}Content-Type: text/plain\r\nContent-Length: 10\r\n\r\n0123`,
    );
    await vi.waitFor(async () => expect(await site.parts()).toHaveLength(1));
    broken.socket.destroy();
    await vi.waitFor(() => expect(site.log).toHaveLength(1));
    expect(site.log[0]?.status).toBeNull();
    expect(await site.parts()).toEqual([]);
    expect((await put(site, target, TEXT, TYPE)).status).toBe(201);
  });

  test("that stalls is 408 and leaves nothing", async () => {
    const site = await openSite({ limits: { idleMs: 100 } });
    const { target } = await site.putLink({ type: "text/plain" });
    const stalled = await talk(
      site,
      `PUT ${target} HTTP/1.1\r\n${host(site)}Content-Type: text/plain\r\nContent-Length: 10\r\n\r\n0123`,
    ).closed;
    expect(stalled.status).toBe(408);
    expect(await site.parts()).toEqual([]);
  });

  test("that is all here may take the disk as long as it takes", async () => {
    const site = await openSite({
      limits: { stalledMs: 100, idleMs: 100, keepAliveMs: 100 },
      wrap: (driver) => ({
        ...driver,
        async put(...args) {
          const stored = await driver.put(...args);
          await new Promise((resolve) => {
            setTimeout(resolve, 400);
          });
          return stored;
        },
      }),
    });
    const { target } = await site.putLink();
    expect((await put(site, target, TEXT)).status).toBe(201);
  });

  test("has no limit on its whole time while its bytes come", async () => {
    const site = await openSite({ limits: { idleMs: 1000, headMs: 50, keepAliveMs: 50 } });
    const { target } = await site.putLink();
    const slow = talk(site, `PUT ${target} HTTP/1.1\r\n${host(site)}Content-Length: 10\r\nConnection: close\r\n\r\n`);
    let sent = 0;
    const timer = setInterval(() => {
      slow.socket.write(TEXT.charAt(sent));
      sent += 1;
      if (sent === TEXT.length) clearInterval(timer);
    }, 30);
    expect((await slow.closed).status).toBe(201);
  });
});

describe("a request that is not one", () => {
  test.each([
    ["raw UTF-8", (site: Site) => `GET /é HTTP/1.1\r\n${host(site)}\r\n`],
    ["a NUL", (site: Site) => `GET /\0 HTTP/1.1\r\n${host(site)}\r\n`],
    ["a NUL in a header", (site: Site) => `GET / HTTP/1.1\r\n${host(site)}A: \0\r\n\r\n`],
    [
      "both Content-Length and chunks",
      (site: Site) => `PUT / HTTP/1.1\r\n${host(site)}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ["a negative Content-Length", (site: Site) => `PUT / HTTP/1.1\r\n${host(site)}Content-Length: -1\r\n\r\n`],
    [
      "two Content-Lengths",
      (site: Site) => `PUT / HTTP/1.1\r\n${host(site)}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`,
    ],
    ["a TLS hello", () => Buffer.from("16030100a5010000a103035f", "hex")],
    ["no Host", () => "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"],
    ["two Hosts", (site: Site) => `GET / HTTP/1.1\r\n${host(site)}${host(site)}Connection: close\r\n\r\n`],
    ["a space before the colon", (site: Site) => `GET / HTTP/1.1\r\n${host(site)}A : b\r\n\r\n`],
    [
      "a folded header",
      (site: Site) => `GET / HTTP/1.1\r\n${host(site)}A: b\r\n Host: evil\r\nConnection: close\r\n\r\n`,
    ],
    ["words", () => "hello there\r\n\r\n"],
  ])("is 400 and closed: %s", async (_what, said) => {
    const site = await openSite();
    const status = (await talk(site, said(site)).closed).status;
    expect([400, 404]).toContain(status);
    if (_what !== "a folded header") expect(status).toBe(400);
  });

  test("is 431 where its head is larger than 8 KiB", async () => {
    const site = await openSite();
    expect((await ask(site, `GET /${"a".repeat(9000)}`)).status).toBe(431);
    expect((await ask(site, "GET /", { Cookie: "a".repeat(9000) })).status).toBe(431);
    expect((await ask(site, `GET /${"a".repeat(7000)}`)).status).toBe(404);
  });

  test.each(["", "GET /", "GET / HTTP/1.1\r\nHost: x\r\nA: "])(
    "is 408 where its head comes too slowly: %j",
    async (said) => {
      const site = await openSite({ limits: { headMs: 200 } });
      const drip = talk(site, said);
      const timer = setInterval(() => drip.socket.write(said === "" ? "" : "x"), 20);
      const { status } = await drip.closed;
      clearInterval(timer);
      expect(status).toBe(408);
    },
  );

  test("is 421 where it names a host that this server is not, and fine where it names one that it is", async () => {
    const site = await openSite({ baseUrl: "https://files.example.com" });
    const { port } = site.server;
    const status = async (name: string) => (await ask(site, "GET /", { Host: name })).status;
    for (const name of ["evil.example.com", `evil.example.com:${port}`, "127.0.0.1", "127.0.0.1:1", "", "localhost"]) {
      expect({ name, status: await status(name) }).toEqual({ name, status: 421 });
    }
    for (const name of [
      `localhost:${port}`,
      `LOCALHOST:${port}`,
      `[::1]:${port}`,
      "files.example.com",
      "files.example.com:443",
    ]) {
      expect({ name, status: await status(name) }).toEqual({ name, status: 404 });
    }
  });

  test("of another method is 405 with the methods there are, and no header makes it another", async () => {
    const { site, link } = await siteWithFile();
    for (const method of ["POST", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND"]) {
      const reply = await ask(site, `${method} ${link}`);
      expect({ method, status: reply.status, allow: reply.headers.get("allow") }).toEqual({
        method,
        status: 405,
        allow: "GET, HEAD, PUT",
      });
    }
    expect((await ask(site, `POST ${link}`, { "X-HTTP-Method-Override": "GET" })).status).toBe(405);
    expect((await ask(site, `GET ${link}`, { "X-HTTP-Method-Override": "DELETE" })).status).toBe(200);
  });

  test("of CONNECT is closed, and of an upgrade is answered as any other", async () => {
    const { site, link } = await siteWithFile();
    expect((await talk(site, `CONNECT evil:443 HTTP/1.1\r\n${host(site)}\r\n`).closed).raw).toBe("");
    const upgrade = await ask(site, `GET ${link}`, { Connection: "Upgrade, close", Upgrade: "websocket" });
    expect(upgrade.status).toBe(200);
  });

  test("with a body where none belongs is 400, and the body is thrown away", async () => {
    const { site, link } = await siteWithFile();
    expect((await ask(site, `GET ${link}`, { "Content-Length": "5" }, "GET /")).status).toBe(400);
    expect((await ask(site, "POST /", { "Content-Length": "1000000" }, "x".repeat(1_000_000))).status).toBe(404);
  });
});

describe("the server", () => {
  test("takes no more connections than its limit", async () => {
    const { site, link } = await siteWithFile({ limits: { connections: 5 } });
    const open = Array.from({ length: 5 }, () => talk(site, "GET "));
    await vi.waitFor(() => expect(open.every(({ socket }) => socket.readyState === "open")).toBe(true));
    expect((await ask(site, `GET ${link}`)).raw).toBe("");
    for (const { socket } of open) socket.destroy();
    await vi.waitFor(async () => expect((await ask(site, `GET ${link}`)).status).toBe(200));
  });

  test("cuts off whoever stops reading, and closes the file", async () => {
    const site = await openSite({ limits: { stalledMs: 300 } });
    const link = await site.getLink(await site.attach("big.bin", randomBytes(30_000_000)));
    const deaf = talk(site, `GET ${link} HTTP/1.1\r\n${host(site)}\r\n`);
    deaf.socket.pause();
    await vi.waitFor(() => expect(site.log).toHaveLength(1), { timeout: 10_000 });
    expect(site.log[0]?.error?.code).toBe("network");
    expect(openFilesIn(site.root)).toEqual([]);
  });

  test("closes the file of a download that is broken off", async () => {
    const site = await openSite();
    const link = await site.getLink(await site.attach("big.bin", randomBytes(30_000_000)));
    const gone = talk(site, `GET ${link} HTTP/1.1\r\n${host(site)}\r\n`);
    await gone.heard("HTTP/1.1 200");
    gone.socket.destroy();
    await vi.waitFor(() => expect(site.log).toHaveLength(1));
    expect(openFilesIn(site.root)).toEqual([]);
  });

  test("lets what runs end when it is stopped, and closes what waits", async () => {
    const site = await openSite({ limits: { drainMs: 5000 } });
    const { key, target } = await site.putLink({ type: "text/plain" });
    const idle = talk(site, "GET ");
    const running = talk(
      site,
      `PUT ${target} HTTP/1.1\r\n${host(site)}Content-Type: text/plain\r\nContent-Length: 10\r\n\r\n01234`,
    );
    await vi.waitFor(async () => expect(await site.parts()).toHaveLength(1));
    const stopped = site.server.close();
    await idle.closed;
    running.socket.write("56789");
    const reply = await running.closed;
    expect({ status: reply.status, connection: reply.headers.get("connection") }).toEqual({
      status: 201,
      connection: "close",
    });
    await stopped;
    expect((await site.driver.head(key, { signal: never })).size).toBe(10);
  });

  test("cuts what takes longer than that, and nothing of it stays", async () => {
    const site = await openSite({ limits: { drainMs: 100 } });
    const { key, target } = await site.putLink({ type: "text/plain" });
    const running = talk(
      site,
      `PUT ${target} HTTP/1.1\r\n${host(site)}Content-Type: text/plain\r\nContent-Length: 10\r\n\r\n01234`,
    );
    await vi.waitFor(async () => expect(await site.parts()).toHaveLength(1));
    await site.server.close();
    await running.closed;
    expect(await site.parts()).toEqual([]);
    await expect(site.driver.head(key, { signal: never })).rejects.toMatchObject({ code: "not_found" });
  });

  test("says whether it is there, and able to check links", async () => {
    const site = await openSite();
    expect(await ask(site, "GET /_health")).toMatchObject({ status: 200, body: Buffer.from("taskflow serve\n") });
    expect((await ask(site, "POST /_health")).status).toBe(405);
    await chmod(site.keyFile, 0o644);
    expect((await ask(site, "GET /_health")).status).toBe(500);
  });

  test("takes links of a key that is added, and none of a key that is taken away, from that moment on", async () => {
    const { site, key, link } = await siteWithFile();
    const other = await openSite();
    const [old, fresh] = [await keyOf(site), await keyOf(other)];
    await writeFile(site.keyFile, `${old}\n# since today\n${fresh}\n`, { mode: 0o600 });
    expect((await ask(site, `GET ${link}`)).status).toBe(200);
    const both = await site.getLink(key);
    expect((await ask(site, `GET ${both}`)).status).toBe(200);
    await writeFile(site.keyFile, `${fresh}\n`, { mode: 0o600 });
    expect((await ask(site, `GET ${link}`)).status).toBe(403);
    await rm(site.keyFile);
    await writeFile(site.keyFile, "", { mode: 0o600 });
    const broken = await ask(site, `GET ${link}`);
    expect(broken.status).toBe(500);
    expect(broken.body.toString()).not.toContain(site.keyFile);
  });
});

describe("pages of other origins", () => {
  const ORIGIN = "https://app.example.com";
  const ASKS = { Origin: ORIGIN, "Access-Control-Request-Method": "PUT" };

  test("may use links where --cors names them, errors included", async () => {
    const { site, link } = await siteWithFile({ cors: [ORIGIN] });
    const preflight = await ask(site, `OPTIONS ${link}`, ASKS);
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PUT");
    for (const target of [link, `${link}x`]) {
      const reply = await ask(site, `GET ${target}`, { Origin: ORIGIN });
      expect(reply.headers.get("access-control-allow-origin")).toBe(ORIGIN);
      expect(reply.headers.get("vary")).toBe("Origin");
    }
  });

  test.each(["https://evil.example.com", "null", "https://app.example.com.evil.com", "http://app.example.com"])(
    "are told nothing otherwise: %s",
    async (origin) => {
      const { site, link } = await siteWithFile({ cors: [ORIGIN] });
      const preflight = await ask(site, `OPTIONS ${link}`, { ...ASKS, Origin: origin });
      expect(preflight.status).toBe(403);
      for (const reply of [preflight, await ask(site, `GET ${link}`, { Origin: origin })]) {
        expect(reply.headers.has("access-control-allow-origin")).toBe(false);
      }
    },
  );

  test("are told nothing without --cors", async () => {
    const { site, link } = await siteWithFile();
    expect((await ask(site, `OPTIONS ${link}`, ASKS)).status).toBe(405);
    expect((await ask(site, `GET ${link}`, ASKS)).headers.has("access-control-allow-origin")).toBe(false);
  });
});

/** Descriptors of this process that lead below a folder, where the system tells. */
function openFilesIn(root: string): string[] {
  const folder = "/proc/self/fd";
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => {
      try {
        return readlinkSync(path.join(folder, name));
      } catch {
        // The descriptor of this very listing.
        return "";
      }
    })
    .filter((target) => target.startsWith(root));
}

async function keyOf(site: Site): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  expect((await stat(site.keyFile)).mode & 0o777).toBe(0o600);
  return (await readFile(site.keyFile, "utf8")).trim();
}
