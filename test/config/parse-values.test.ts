import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLoopback, parseUrl } from "../../src/config/parse-url.ts";
import {
  optionValue,
  parseBoolean,
  parseDate,
  parseDuration,
  parseInteger,
  parseList,
  parseSince,
  parseSize,
  parseString,
  printable,
  valueOf,
  type Parser,
} from "../../src/config/parse-values.ts";
import { failure } from "./project.ts";

const REFUSED = Symbol("refused");
const NOW = new Date("2026-11-23T20:00:00Z");

function answers<T>(parse: Parser<T>, text: string): T | typeof REFUSED {
  const parsed = parse(text);
  return parsed.ok ? parsed.value : REFUSED;
}

describe("booleans", () => {
  test.each(["true", "1", "yes", "on", "TRUE", "Yes", "oN"])("%s is true", (text) => {
    expect(answers(parseBoolean, text)).toBe(true);
  });

  test.each(["false", "0", "no", "off", "FALSE", "No", "oFF"])("%s is false", (text) => {
    expect(answers(parseBoolean, text)).toBe(false);
  });

  test.each(["flase", "", " true", "true ", "2", "y", "truee", "tru\u0131"])("%j is neither", (text) => {
    expect(answers(parseBoolean, text)).toBe(REFUSED);
  });

  test("only the eight words are booleans", () => {
    const words = new Set(["true", "1", "yes", "on", "false", "0", "no", "off"]);
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(answers(parseBoolean, text) !== REFUSED).toBe(words.has(text.toLowerCase()));
      }),
    );
  });
});

describe("sizes", () => {
  test.each([
    ["1", 1],
    ["512", 512],
    ["1K", 1024],
    ["10k", 10_240],
    ["20M", 20 * 1024 ** 2],
    ["5g", 5 * 1024 ** 3],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ])("%s is %d bytes", (text, bytes) => {
    expect(answers(parseSize, text)).toBe(bytes);
  });

  const bad = ["", "0", "00", "01", "-1", "+1", "1.5", "1e3", "0x10", " 5", "5 ", "5\n", "5KB", "5KiB", "1T", "K", "٣"];
  test.each([...bad, "9007199254740992", "9007199254740991K", "9".repeat(400)])("%j is no size", (text) => {
    expect(answers(parseSize, text)).toBe(REFUSED);
  });

  test("a whole number with a unit is that many 1,024s", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 22 }), fc.constantFrom("", "K", "M", "G"), (number, unit) => {
        expect(answers(parseSize, `${number}${unit}`)).toBe(number * 1024 ** ["", "K", "M", "G"].indexOf(unit));
      }),
    );
  });
});

describe("durations", () => {
  test.each([
    ["1", 1],
    ["3600", 3600],
    ["90s", 90],
    ["15m", 900],
    ["2h", 7200],
    ["7d", 604_800],
  ])("%s is %d seconds", (text, seconds) => {
    expect(answers(parseDuration, text)).toBe(seconds);
  });

  const bad = ["", "0", "0s", "-1", "1.5", "1.5h", "1e3", "0x10", "NaN", "Infinity", " 5 ", "5M", "5H", "1w", "1h30m"];
  test.each([...bad, "9007199254740992", "9007199254740991m"])("%j is no duration", (text) => {
    expect(answers(parseDuration, text)).toBe(REFUSED);
  });

  test("a whole number with a unit is that many seconds", () => {
    const units = { s: 1, m: 60, h: 3600, d: 86_400 };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), fc.constantFrom("s", "m", "h", "d"), (number, unit) => {
        expect(answers(parseDuration, `${number}${unit}`)).toBe(number * units[unit]);
      }),
    );
  });
});

describe("whole numbers", () => {
  test.each([
    ["0", 0],
    ["8080", 8080],
    ["65535", 65_535],
  ])("%s is a port", (text, value) => {
    expect(answers(parseInteger(0, 65_535), text)).toBe(value);
  });

  test.each(["", "-1", "65536", "1.0", "1e3", "0x1", "007", "-0", " 1", "1_000"])("%j is no port", (text) => {
    expect(answers(parseInteger(0, 65_535), text)).toBe(REFUSED);
  });
});

describe("lists", () => {
  test("entries stand between commas and are trimmed", () => {
    expect(answers(parseList, "image/png, application/pdf")).toEqual(["image/png", "application/pdf"]);
  });

  test.each(["", ",", "a,", ",a", "a,,b", "a, ,b", "a\u0007"])("%j has an entry that is none", (text) => {
    expect(answers(parseList, text)).toBe(REFUSED);
  });
});

describe("--since", () => {
  test.each([
    ["2026-11-01", "2026-11-01T00:00:00.000Z"],
    ["2026-11-01T14:00Z", "2026-11-01T14:00:00.000Z"],
    ["2026-11-01T14:00:00Z", "2026-11-01T14:00:00.000Z"],
    ["2026-11-01T14:00:00.123456Z", "2026-11-01T14:00:00.123Z"],
    ["2026-11-01T14:00:00+01:00", "2026-11-01T13:00:00.000Z"],
    ["2026-11-01 14:00:00-0530", "2026-11-01T19:30:00.000Z"],
    ["2028-02-29", "2028-02-29T00:00:00.000Z"],
    ["2h", "2026-11-23T18:00:00.000Z"],
    ["7d", "2026-11-16T20:00:00.000Z"],
    ["3600", "2026-11-23T19:00:00.000Z"],
  ])("%s is %s", (text, expected) => {
    const since = answers(parseSince(NOW), text);
    expect(since === REFUSED ? since : since.toISOString()).toBe(expected);
  });

  const noDay = ["2026-02-30", "2026-13-01", "2026-00-10", "2026-11-1", "26-11-01", "2026-11-01T25:00Z"];
  const noAge = ["", "yesterday", "0", "-2h", "9007199254740991", "2026/11/01", "2026-W10", "2026-11-01T14:00:00"];
  test.each([...noDay, ...noAge])("%j is neither a date nor an age", (text) => {
    expect(answers(parseSince(NOW), text)).toBe(REFUSED);
  });

  test("what a date prints as, it is read as", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
        (date) => {
          expect(answers(parseDate, date.toISOString())).toEqual(date);
        },
      ),
    );
  });
});

describe("URLs", () => {
  test.each([
    ["http://127.0.0.1:9000", "http://127.0.0.1:9000"],
    ["https://minio.example/", "https://minio.example"],
    ["HTTPS://Files.Example/base/", "https://files.example/base"],
    ["http://[::1]:9000", "http://[::1]:9000"],
  ])("%s is %s", (text, expected) => {
    expect(answers(parseUrl, text)).toBe(expected);
  });

  const hostile = [
    "file:///etc/passwd",
    "ftp://x",
    "javascript:alert(1)",
    "//host",
    "host:9000",
    "",
    "http://",
    "http://a b",
  ];
  const carrying = [
    "http://user:pass@host",
    "http://user@host",
    "http://@host",
    "http://h/?q",
    "http://h/#f",
    "http://h/?",
  ];
  const metadata = [
    "http://169.254.169.254",
    "http://2852039166",
    "http://0xa9fea9fe/",
    "http://[::ffff:169.254.169.254]",
  ];
  const tricks = ["http://h\\@evil", "http://h\nx", "http://h\u0000", "http://[fe80::1]", "http://[fd00:ec2::254]"];
  test.each([...hostile, ...carrying, ...metadata, ...tricks])("%j is refused", (text) => {
    expect(answers(parseUrl, text)).toBe(REFUSED);
  });

  test.each([
    ["http://127.0.0.1:9000", true],
    ["http://127.8.8.8", true],
    ["http://localhost:9000", true],
    ["http://s3.localhost", true],
    ["http://[::1]", true],
    ["http://localhost.evil.example", false],
    ["http://127.0.0.1.evil.example", false],
    ["http://10.0.0.1", false],
  ])("%s on this machine: %s", (url, expected) => {
    expect(isLoopback(url)).toBe(expected);
  });
});

describe("errors", () => {
  test("a bad value of an option is `usage` and names the option", async () => {
    const error = await failure(() => optionValue("--expires", "0", parseDuration));
    expect(error).toMatchObject({ code: "usage", exit: 2, message: "--expires=0: not a duration" });
    expect(error.hint).toContain("15m");
  });

  test("a bad value from elsewhere is `bad_config` and names its place", async () => {
    const given = { name: "USE_S3", place: "/abs/.env line 2", secret: false };
    const error = await failure(() => valueOf("flase", parseBoolean, given));
    expect(error).toMatchObject({ code: "bad_config", exit: 5 });
    expect(error.message).toBe("USE_S3=flase in /abs/.env line 2: neither true nor false");
  });

  test("a secret's value is in no message", async () => {
    const given = { name: "TASKFLOW_TOKEN", place: "the environment", secret: true };
    const error = await failure(() => valueOf("hunter2\n", parseString, given));
    expect(error.message).toBe("TASKFLOW_TOKEN in the environment: holds a control character");
  });

  test("the password of a URL is in no message", async () => {
    const error = await failure(() => optionValue("--endpoint", "http://me:hunter2@host", parseUrl));
    expect(error.message).toBe("--endpoint=http://[hidden]@host: holds a user name or password");
  });

  test("a message is one line without control characters, whatever the value is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(printable(text)).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{0,101}$/su);
      }),
    );
  });

  test("no text makes a parser throw, or an option fail with anything but `usage`", async () => {
    const parsers: readonly Parser<unknown>[] = [
      parseBoolean,
      parseSize,
      parseDuration,
      parseInteger(),
      parseList,
      parseUrl,
      parseString,
      parseDate,
      parseSince(NOW),
    ];
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[0-9A-Za-z:+.\- /@[\]%]{0,40}$/));
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom(...parsers), async (value, parse) => {
        if (!parse(value).ok) expect((await failure(() => optionValue("--x", value, parse))).code).toBe("usage");
      }),
      { numRuns: 3000 },
    );
  });
});
