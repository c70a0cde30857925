import { randomBytes, createHmac } from "node:crypto";
import { assert, maxSafeNat, option, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { linkKey, signLink, storeKey, verifyLink } from "../../../src/storage/fs/signing.ts";
import type { LinkGrant } from "../../../src/storage/presigner.ts";

const NOW = new Date("2026-11-23T20:00:00Z");
const LATER = new Date("2026-11-23T21:00:00.250Z");
const secret = Buffer.alloc(32, 7);
const key = storeKey(linkKey(secret), "store-1");
const GET: LinkGrant = { method: "GET", key: "tasks/T-1/a_b.pdf", endsAt: LATER, name: "b.pdf", disposition: "inline" };
const PUT: LinkGrant = {
  method: "PUT",
  key: "tasks/T-1/a_ü.bin",
  endsAt: LATER,
  name: "ü 日本.bin",
  type: "text/plain; charset=utf-8",
  size: 12,
  maxSize: 5_368_709_120,
  sha256: "ab".repeat(32),
};
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

describe("a token", () => {
  test.each([GET, PUT, { ...PUT, type: null, size: null, maxSize: null, sha256: null }, { ...PUT, size: 0 }])(
    "grants exactly what was signed: %o",
    (grant) => {
      expect(verifyLink(signLink(grant, key), [key], NOW)).toEqual({ ok: true, grant });
    },
  );

  test("grants any grant that can be signed", () => {
    const text = string({ unit: "grapheme", minLength: 1, maxLength: 60 });
    const size = option(maxSafeNat());
    assert(
      property(text, text, size, size, option(text), (base, name, exact, most, type) => {
        const grant: LinkGrant = { ...PUT, key: base, name, size: exact, maxSize: most, type };
        expect(verifyLink(signLink(grant, key), [key], NOW)).toEqual({ ok: true, grant });
      }),
    );
  });

  test("ends to the millisecond", () => {
    const token = signLink(GET, key);
    expect(verifyLink(token, [key], new Date(LATER.getTime() - 1)).ok).toBe(true);
    expect(verifyLink(token, [key], LATER)).toEqual({ ok: false, reason: "expired" });
  });

  test("of one store is nothing to another, though both have the same key", () => {
    const other = storeKey(linkKey(secret), "store-2");
    expect(verifyLink(signLink(GET, key), [other], NOW)).toEqual({ ok: false, reason: "signature" });
  });

  test("of another key is nothing, and is something again among several keys", () => {
    const other = storeKey(linkKey(Buffer.alloc(32, 8)), "store-1");
    expect(verifyLink(signLink(GET, key), [other], NOW)).toEqual({ ok: false, reason: "signature" });
    expect(verifyLink(signLink(GET, key), [other, key], NOW).ok).toBe(true);
  });

  test("fits into a URL as it is, and a grant that would make it too long is refused", () => {
    expect(signLink(PUT, key)).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
    expect(() => signLink({ ...GET, name: "x".repeat(4000) }, key)).toThrow(/too long/);
    expect(() => signLink({ ...GET, name: "\ud800" }, key)).toThrow(/can't be in a link/);
  });

  test("differs wherever the grants differ, for each field has its length before it", () => {
    const grants: LinkGrant[] = [
      GET,
      PUT,
      { ...GET, key: "tasks/T-1/a_b.pdfb", name: ".pdf" },
      { ...GET, key: "tasks/T-1/a_b.pd", name: "fb.pdf" },
      { ...GET, disposition: "attachment" },
      { ...PUT, size: null, maxSize: 12 },
      { ...PUT, size: 12, maxSize: null },
      { ...PUT, size: 1, maxSize: 25_368_709_120 },
    ];
    expect(new Set(grants.map((grant) => signLink(grant, key).split(".")[0])).size).toBe(grants.length);
  });
});

describe("a text that is no token", () => {
  test.each(["", ".", "a", "a.b", "A".repeat(43), `.${"A".repeat(43)}`, `é.${"é".repeat(43)}`, "\0".repeat(100)])(
    "grants nothing and throws nothing: %j",
    (text) => {
      expect(verifyLink(text, [key], NOW).ok).toBe(false);
    },
  );

  test("is not even looked at where it is longer than any token", () => {
    expect(verifyLink(`${"A".repeat(5000)}.${"A".repeat(43)}`, [key], NOW)).toEqual({ ok: false, reason: "malformed" });
  });

  test("may be any text at all", () => {
    assert(
      property(string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(verifyLink(text, [key], NOW).ok).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test("grants nothing where another version of this program signed it with the same key", () => {
    for (const payload of [Buffer.from("v2"), Buffer.alloc(0), Buffer.from([0, 1, 50]), Buffer.from([0, 9, 1])]) {
      const text = payload.toString("base64url") || "A";
      const mac = createHmac("sha256", key.bytes).update(text).digest("base64url");
      expect(verifyLink(`${text}.${mac}`, [key], NOW)).toEqual({ ok: false, reason: "malformed" });
    }
  });
});

test("of 100,000 tampered tokens none grants anything", () => {
  const tokens = [GET, PUT].map((grant) => signLink(grant, key));
  const [get = "", put = ""] = tokens;
  const random = (below: number): number => randomBytes(4).readUInt32BE() % below;
  const pick = (text: string): string => text.charAt(random(text.length));
  const at = (token: string, index: number, piece: string, removed = piece.length): string =>
    token.slice(0, index) + piece + token.slice(index + removed);
  const kinds: ((token: string) => string)[] = [
    // One character to another, anywhere.
    (token) => at(token, random(token.length), pick(BASE64URL)),
    // Its last characters, whose low bits decoders drop.
    (token) => at(token, token.length - 1, pick(BASE64URL)),
    (token) => at(token, token.lastIndexOf(".") - 1, pick(BASE64URL)),
    // What lax decoders take for the same bytes, or pass over.
    (token) => token.replaceAll("-", "+").replaceAll("_", "/"),
    (token) => token + pick("=\n \t\0."),
    (token) => at(token, random(token.length), pick("=\n \t\0.%+/é"), 0),
    (token) => at(token, token.lastIndexOf("."), "=", 0),
    (token) => token.toUpperCase(),
    (token) => token.toLowerCase(),
    // Cut, doubled, turned, crossed.
    (token) => token.slice(0, random(token.length)),
    (token) => token.slice(1 + random(token.length - 1)),
    (token) => at(token, random(token.length), "", 1 + random(5)),
    (token) => token + token.slice(-1 - random(50)),
    (token) => token.split(".").reverse().join("."),
    (token) => `${get.split(".")[0] ?? ""}.${put.split(".")[1] ?? ""}${token.slice(0, random(3))}`,
    (token) => `${put.split(".")[0] ?? ""}.${get.split(".")[1] ?? ""}${token.slice(0, random(3))}`,
    // A payload of one's own with the old mac, with a guessed one, with the mac of a key that anybody knows.
    (token) => changeByte(token, random),
    (token) => `${token.split(".")[0] ?? ""}.${randomBytes(32).toString("base64url")}`,
    (token) => resign(token, Buffer.alloc(32)),
    (token) => resign(changeByte(token, random), Buffer.from(key.storeId)),
  ];
  let tampered = 0;
  let accepted = 0;
  while (tampered < 100_000) {
    for (const kind of kinds) {
      const text = kind(tampered % 2 === 0 ? get : put);
      if (tokens.includes(text)) continue;
      tampered += 1;
      if (verifyLink(text, [key], NOW).ok) accepted += 1;
    }
  }
  expect({ enough: tampered >= 100_000, accepted }).toEqual({ enough: true, accepted: 0 });
}, 60_000);

function changeByte(token: string, random: (below: number) => number): string {
  const [payload = "", mac = ""] = token.split(".");
  const bytes = Buffer.from(payload, "base64url");
  const index = random(bytes.length);
  bytes.writeUInt8((bytes.readUInt8(index) + 1 + random(255)) % 256, index);
  return `${bytes.toString("base64url")}.${mac}`;
}

function resign(token: string, guessed: Uint8Array): string {
  const [payload = ""] = token.split(".");
  return `${payload}.${createHmac("sha256", guessed).update(payload).digest("base64url")}`;
}
