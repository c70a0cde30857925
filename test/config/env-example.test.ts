/** `.env.example` is the table of settings, in the form that a project copies. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { SETTING_NAMES, setting } from "../../src/config/settings.ts";
import type { SettingName } from "../../src/config/settings.ts";
import { project } from "./project.ts";

const EXAMPLE = readFileSync(path.resolve(import.meta.dirname, "../../.env.example"), "utf8");
const LINES = EXAMPLE.split("\n");
const ASSIGNMENT = /^#?([A-Z][A-Z0-9_]*)=/;

test("it has every variable of the table once, and no other", () => {
  const variables = LINES.flatMap((line) => ASSIGNMENT.exec(line)?.[1] ?? []);
  expect(variables.toSorted()).toEqual(SETTING_NAMES.flatMap((name) => setting(name).variables).toSorted());
});

test("what is no assignment is a comment", () => {
  const others = LINES.filter((line) => !ASSIGNMENT.test(line));
  expect(others.filter((line) => line !== "" && !line.startsWith("# "))).toEqual([]);
});

test.each(SETTING_NAMES)("%s: above it stands what the table says of it, default and all", (name) => {
  const { variables, help, default: text, defaultText } = setting(name);
  const shown = defaultText ?? text;
  const at = LINES.findIndex((line) => ASSIGNMENT.exec(line)?.[1] === variables[0]);
  expect(LINES[at - 1]).toBe(`# ${help}${shown === null ? "" : `; default: ${shown}`}`);
});

test("a copy of it sets each default to itself, and nothing else", async () => {
  const p = project();
  const before = (await p.settings()).entries();
  p.write("repo/.env", EXAMPLE);
  const copied = await p.settings();
  expect(copied.warnings).toEqual([]);
  const values = (entries: typeof before): unknown[] => entries.map(({ name, value }) => [name, value]);
  expect(values(copied.entries())).toEqual(values(before));
  const set = copied.entries().filter(({ origin }) => origin.source === ".env");
  // A path in `.env` is relative to it, so the key file's default can't be written there.
  const writable = (name: SettingName): boolean => setting(name).default !== null && name !== "url-key-file";
  expect(set.map(({ name }) => name)).toEqual(SETTING_NAMES.filter(writable));
});

test("with every # removed, each value is one that is accepted", async () => {
  const p = project();
  p.write("repo/.env", EXAMPLE.replaceAll(/^#(?=[A-Z])/gm, ""));
  const settings = await p.settings({ env: { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "s" } });
  expect(settings.warnings).toEqual([]);
  expect(settings.entries().filter(({ problem }) => problem !== null)).toEqual([]);
});

test("git keeps it, and no copy of it", () => {
  const ignored = readFileSync(path.resolve(import.meta.dirname, "../../.gitignore"), "utf8").split("\n");
  expect(ignored).toContain(".env");
  expect(ignored.filter((line) => line.includes("env.example") || /^\.env[.*]/.test(line))).toEqual([]);
});
