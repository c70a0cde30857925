import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { detectType, parseType, parseTypePattern, typeAllowed } from "../../src/attachments/content-type.ts";
import { codeOf } from "./support.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const PNG = bytes(
  "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\0IEND\xaeB`\x82",
);
const ZIP = bytes("PK\x03\x04\x14\0\0\0\x08\0");
const CFB = bytes("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0");
const XML = bytes('<?xml version="1.0"?>\n<x/>');
const EXE = bytes("MZ\x90\0\x03\0\0\0\x04\0");
const mp4 = (brand: string) => bytes(`\0\0\0\x18ftyp${brand}\0\0\0\0`);
const DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

describe("detectType", () => {
  test.each<[string, Uint8Array, string, string]>([
    ["bytes decide", PNG, "x.png", "image/png"],
    ["bytes win over a wrong extension", PNG, "report.pdf", "image/png"],
    ["bytes win over a text extension", PNG, "x.txt", "image/png"],
    ["bytes without extension", bytes("%PDF-1.7\n"), "report", "application/pdf"],
    ["a program that is called a picture", EXE, "x.png", "application/x-msdownload"],
    ["a program that is called a text", EXE, "x.txt", "application/x-msdownload"],
    ["the extension where bytes say nothing", bytes("hello"), "a.txt", "text/plain"],
    ["no charset is made up", bytes("<p>"), "a.html", "text/html"],
    ["the extension in upper case", bytes("hello"), "A.MD", "text/markdown"],
    ["the extension of an empty file", bytes(""), "a.csv", "text/csv"],
    ["nothing known", bytes("hello"), "README", "application/octet-stream"],
    ["a file that is called as an extension", bytes("hello"), "pdf", "application/octet-stream"],
    ["a dot in a folder", bytes("hello"), "a.pdf/x", "application/octet-stream"],
    ["an unknown extension", bytes("\0\x01"), "a.zzzz", "application/octet-stream"],
    ["a zip", ZIP, "a.zip", "application/zip"],
    ["a zip without extension", ZIP, "a", "application/zip"],
    ["a zip that is a document further in", ZIP, "a.docx", DOCX],
    ["a zip of a vendor", ZIP, "a.kmz", "application/vnd.google-earth.kmz"],
    ["a zip that is called a picture", ZIP, "a.png", "application/zip"],
    ["a zip that is called a PDF", ZIP, "a.pdf", "application/zip"],
    ["a zip that is called JSON", ZIP, "a.json", "application/zip"],
    ["an old document", CFB, "a.doc", "application/msword"],
    ["an old sheet", CFB, "a.xls", "application/vnd.ms-excel"],
    ["an old container that is called a picture", CFB, "a.jpg", "application/x-cfb"],
    ["XML that is a picture", XML, "a.svg", "image/svg+xml"],
    ["XML that is a page", XML, "a.xhtml", "application/xhtml+xml"],
    ["XML without extension", XML, "a", "application/xml"],
    ["XML that is called a PNG", XML, "a.png", "application/xml"],
    ["gzip of a tar", gzipSync("x"), "a.tar.gz", "application/gzip"],
    ["gzip that is called a PDF", gzipSync("x"), "a.pdf", "application/gzip"],
    ["a gzip that inflates a thousandfold", gzipSync(Buffer.alloc(4_000_000)), "a", "application/gzip"],
    ["mp4 that is sound only", mp4("isom"), "a.m4a", "audio/mp4"],
    ["mp4 without extension", mp4("isom"), "a", "video/mp4"],
    ["mp4 that is called a picture", mp4("isom"), "a.png", "video/mp4"],
    ["a text that begins like a bitmap", bytes("BMW is a car"), "a.txt", "text/plain"],
    ["a text that begins like a bitmap, unnamed", bytes("BMW is a car"), "a", "application/octet-stream"],
    ["a text that begins like a program", bytes("MZ is a zone"), "a.md", "text/markdown"],
    ["a text that begins like a GIF", bytes("GIF is a format"), "a.txt", "text/plain"],
    ["a GIF", bytes("GIF89a"), "a", "image/gif"],
    ["a magic comment of TeX", bytes("%!TEX root = main.tex"), "a.tex", "application/x-tex"],
    ["PostScript", bytes("%!PS-Adobe-3.0"), "a", "application/postscript"],
    ["UTF-16 text", bytes("\xff\xfeh\0i\0\n\0"), "a.txt", "text/plain"],
    ["TypeScript, not MPEG", bytes("export const a = 1;\n"), "a.ts", "text/plain"],
    ["a text that is called a picture: text decides nothing", bytes("hello"), "a.png", "image/png"],
    ["SVG without a declaration", bytes("<svg/>"), "a.svg", "image/svg+xml"],
    ["zlib data", bytes("x\x01\0\0"), "a", "application/octet-stream"],
  ])("%s", async (_, first, name, expected) => expect(await detectType(first, name)).toBe(expected));

  test("the bytes are needed only until the call returns", async () => {
    const reused = Buffer.from(PNG);
    const type = detectType(reused, "a");
    reused.fill(0);
    expect(await type).toBe("image/png");
  });

  test("never throws, and always gives a media type, on hostile bytes and names", async () => {
    const magic = fc.constantFrom(
      "",
      "\x89PNG\r\n\x1a\n",
      "PK\x03\x04",
      "\x1aE\xdf\xa3",
      "0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel",
      "ID3\x03\0\0",
      "II*\0",
      "MM\0*",
      "\0\0\0\x18ftyp",
      "RIFF",
      "OggS",
      "\xff\xfb",
      "\x1f\x8b\x08",
      "%PDF-1.",
      "\xef\xbb\xbf",
      "FORM",
      "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
      "Rar!\x1a\x07\0",
      "<?xml ",
      "PK\x05\x06",
      "7z\xbc\xaf'\x1c",
      "!<arch>\n",
    );
    const body = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 200, maxLength: 5000 }));
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom("a.zip", "a.ts", "a.png", "a.svg", "a.docx", "a.mp3", ".", ".."),
    );
    await fc.assert(
      fc.asyncProperty(magic, body, name, async (magic, body, name) => {
        const type = await detectType(Buffer.concat([bytes(magic), body]), name);
        expect(parseType(type)).toBe(type);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("parseType", () => {
  test.each([
    ["text/plain", "text/plain"],
    ["Text/HTML", "text/html"],
    ["text/plain;charset=UTF-8", "text/plain; charset=UTF-8"],
    ['TEXT/plain ; Charset="a;b=c" ;\tx=y', 'text/plain; charset="a;b=c"; x=y'],
    ["application/vnd.ms-excel.sheet.macroEnabled.12", "application/vnd.ms-excel.sheet.macroenabled.12"],
    ["image/svg+xml", "image/svg+xml"],
  ])("%j is %j", (given, expected) => expect(parseType(given)).toBe(expected));

  test.each([
    "",
    "text",
    "/",
    "text/",
    "/plain",
    "text/plain;",
    "text/plain; charset",
    "text/plain; =x",
    "text/plain;a=",
    "a b/c",
    "text/pl ain",
    " text/plain",
    "text/plain\r\nx: y",
    "text/plain\n",
    'text/plain; a="b',
    'text/plain; a="\n"',
    "image/*",
    "*/*",
    "tëxt/plain",
    "text/plain/x",
    "text,html",
    `a/${"b".repeat(255)}`,
  ])("%j is usage", (given) => expect(codeOf(() => parseType(given))).toBe("usage"));

  test("is its own result, and can be sent in a header", () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from('aZ/;= "\\*\r\n\té.+-')), maxLength: 20 });
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          text.map((tail) => `text/plain;a=${tail}`),
        ),
        (given) => {
          if (codeOf(() => parseType(given)) !== null) return;
          const type = parseType(given);
          expect(parseType(type)).toBe(type);
          expect(type).toMatch(/^[ -~]+$/);
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe("typeAllowed", () => {
  test.each([
    ["image/png", ["image/*"], true],
    ["IMAGE/PNG", ["image/*"], true],
    ["image/png", ["Image/*"], true],
    ["imagex/png", ["image/*"], false],
    ["application/pdf", ["image/*", "application/pdf"], true],
    ["application/pdfx", ["application/pdf"], false],
    ["text/plain; charset=utf-8", ["text/plain"], true],
    ["text/html", ["*/*"], true],
    ["text/html", [], false],
  ])("%s by %j: %s", (type, patterns, expected) => expect(typeAllowed(type, patterns)).toBe(expected));

  test("patterns are a type, a group or all", () => {
    expect(["Image/*", "*/*", "application/PDF"].map(parseTypePattern)).toEqual(["image/*", "*/*", "application/pdf"]);
    for (const text of ["", "*", "image", "*/png", "image/**", "image/p*", "a/b;c=d", " a/b", "a/b,c/d"]) {
      expect(codeOf(() => parseTypePattern(text))).toBe("usage");
    }
  });
});
