import stringWidth from "string-width";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Context } from "../../src/cli/context.ts";
import { createProgress } from "../../src/cli/output/progress.ts";
import { fitLine } from "../../src/cli/output/spinner.ts";
import { truncate } from "../../src/cli/output/truncate.ts";

const MIB = 1024 * 1024;
const SECOND = 1000;

describe("off a terminal", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A progress off a terminal, and the lines that it tells. */
  function recorded(told: (text: string) => string = (text) => text) {
    const lines: string[] = [];
    const ctx = { now: () => new Date() } satisfies Partial<Context> as unknown as Context;
    const line = (text: string): void => void lines.push(told(text));
    return { lines, progress: createProgress(ctx, { verb: "attaching", live: false, color: false, line }) };
  }

  /** A transfer of 1 MiB a second, told as plain lines with the second they came in. */
  function transfer(seconds: number, total: number | null): string[] {
    const begun = Date.now();
    const { lines, progress } = recorded((text) => `${Math.round((Date.now() - begun) / SECOND)}s ${text}`);
    progress.expect(total, 1);
    progress.at("disk.img");
    for (let second = 0; second < seconds; second += 1) {
      vi.advanceTimersByTime(SECOND);
      progress.advance(MIB);
    }
    progress.stop();
    vi.advanceTimersByTime(600 * SECOND);
    return lines;
  }

  test("a transfer of less than 10 s says nothing", () => {
    expect(transfer(9, 100 * MIB)).toEqual([]);
  });

  test("a long transfer says a plain line after 10 s, then thinning out to one a minute", () => {
    const lines = transfer(300, 600 * MIB);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(["10s", "20s", "40s", "80s", "140s", "200s", "260s"]);
    expect(lines[0]).toMatch(/^10s attaching disk\.img {2}1% {2}.* left {2}9\.0 MiB of 600\.0 MiB {2}.*\/s$/);
  });

  test("reading before the transfer is told as that, and is no part of its time", () => {
    const { lines, progress } = recorded();
    progress.expect(400 * MIB, 1);
    progress.at("disk.img");
    const seconds = (count: number, each: () => void): void => {
      for (let second = 0; second < count; second += 1) {
        each();
        vi.advanceTimersByTime(SECOND);
      }
    };
    seconds(40, () => progress.read(10 * MIB));
    seconds(50, () => progress.advance(MIB));
    progress.stop();
    expect(lines).toEqual([
      "reading disk.img  25%  100.0 MiB of 400.0 MiB  10.0 MiB/s",
      "reading disk.img  50%  200.0 MiB of 400.0 MiB  10.0 MiB/s",
      "reading disk.img  100%  400.0 MiB of 400.0 MiB  10.0 MiB/s",
      "attaching disk.img  10%  6m left  40.0 MiB of 400.0 MiB  1.0 MiB/s",
    ]);
  });

  test("a large file that is read after a small one has moved is told as reading, and so is the end of it", () => {
    const { lines, progress } = recorded();
    progress.expect(100 * MIB + 6, 2);
    progress.advance(6);
    progress.itemDone();
    for (let second = 0; second < 20; second += 1) {
      vi.advanceTimersByTime(SECOND);
      progress.read(5 * MIB);
    }
    // The first part begins, and for a while nothing of it is gone.
    progress.advance(0);
    vi.advanceTimersByTime(20 * SECOND);
    progress.stop();
    expect(lines).toEqual([
      "reading 1 of 2 files  44%  45.0 MiB of 100.0 MiB  5.0 MiB/s",
      "reading 1 of 2 files  94%  95.0 MiB of 100.0 MiB  5.0 MiB/s",
      expect.stringMatching(/^attaching 1 of 2 files {2}0% {2}6 B of 100\.0 MiB/),
    ]);
  });

  test("a transfer of unknown length tells what has come, and neither a share nor an end", () => {
    expect(transfer(10, null)).toEqual([
      expect.stringMatching(/^10s attaching disk\.img {2}9\.0 MiB {2}[\d.]+ KiB\/s$/),
    ]);
  });
});

describe("the line on a terminal", () => {
  const facts = ["29%", "4s left", "300.0 MiB of 1.0 GiB", "151.5 MiB/s"];

  test.each([20, 40, 80, 160])("never wraps in %i columns", (columns) => {
    for (const subject of ["disk.img", "n".repeat(200), "日本語の".repeat(30), "2 of 7 files"]) {
      expect(stringWidth(fitLine("attaching", subject, facts, columns))).toBeLessThan(columns - 1);
    }
  });

  test("has as many facts as fit, the most wanted first", () => {
    expect(fitLine("attaching", "disk.img", facts, 40)).toBe("attaching disk.img  29%  4s left");
    expect(fitLine("attaching", "disk.img", facts, 80)).toBe(
      "attaching disk.img  29%  4s left  300.0 MiB of 1.0 GiB  151.5 MiB/s",
    );
    expect(fitLine("attaching", "a-long-name-of-a-file.tar.gz", facts, 40)).toBe(
      "attaching a-long-name-of-a-file…  29%",
    );
  });
});

describe("truncated text", () => {
  test("is never wider than asked, and never cut within a character", () => {
    const texts = ["plain", "Prüfbericht", "e\u0301e\u0301e\u0301e\u0301", "🎉🎊🎈🎁", "👩‍👩‍👧👩‍👩‍👧", "日本語のとても"];
    for (const text of texts) {
      for (let columns = 1; columns <= 16; columns += 1) {
        const cut = truncate(text, columns);
        expect(stringWidth(cut)).toBeLessThanOrEqual(columns);
        expect(Buffer.from(cut).toString()).toBe(cut);
        if (stringWidth(text) <= columns) expect(cut).toBe(text);
        else expect(cut.endsWith("…")).toBe(true);
      }
    }
    expect(truncate("e\u0301e\u0301e\u0301", 2)).toBe("e\u0301…");
    expect(truncate("日本語", 4)).toBe("日…");
  });
});
