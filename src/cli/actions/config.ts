import { resolveSettings } from "../../config/resolve.ts";
import type { SettingEntry } from "../../config/resolve.ts";
import { SETTINGS, settingNamed } from "../../config/settings.ts";
import { openUserFile } from "../../config/user-file.ts";
import { TaskflowError } from "../../errors.ts";
import type { CommonOptions } from "../command.ts";
import type { ConfigListOptions } from "../commands/config.ts";
import type { Context } from "../context.ts";
import { tsvField } from "../output/printable.ts";
import type { View } from "../output/report.ts";
import { runSession } from "../session.ts";

type Action = (ctx: Context, operands: readonly string[], options: ConfigListOptions) => Promise<number>;

const settingView = (withOrigin: boolean): View<SettingEntry> => ({
  listing: true,
  json: ({ name, value, origin, problem }) => ({
    name,
    variable: SETTINGS[name].variables[0],
    value,
    problem,
    origin: { source: origin.source, text: origin.text },
  }),
  line: ({ name, value, origin }) =>
    [name, tsvField(value ?? ""), ...(withOrigin ? [tsvField(origin.text)] : [])].join("\t"),
  table: {
    columns: [
      { title: "SETTING" },
      { title: "VALUE", flexible: true },
      ...(withOrigin ? [{ title: "FROM", dropOrder: 1 }] : []),
    ],
    cells: ({ name, value, origin, problem }) => [
      name,
      problem === null ? (value ?? SETTINGS[name].defaultText ?? "") : `${value ?? ""} (${problem})`,
      ...(withOrigin ? [origin.text] : []),
    ],
  },
});

/** A value alone, for `config get` in a script. */
const valueView = (withOrigin: boolean): View<SettingEntry> => ({
  json: settingView(true).json,
  line: ({ value, origin }) =>
    withOrigin ? `${tsvField(value ?? "")}\t${tsvField(origin.text)}` : tsvField(value ?? ""),
});

export const runConfigList: Action = (ctx, operands, options) =>
  runSession(ctx, "config list", options, settingView(options.origin === true), async ({ report, settings }) => {
    exactly(operands, 0);
    for (const entry of (await settings()).entries()) await report.item(entry);
    return undefined;
  });

export const runConfigGet: Action = (ctx, operands, options) =>
  runSession(ctx, "config get", options, valueView(options.origin === true), async ({ report, settings }) => {
    exactly(operands, 1);
    const name = settingNamed(operands[0] ?? "");
    const entry = (await settings()).entries().find((one) => one.name === name);
    if (entry === undefined) throw new TaskflowError("internal", `the setting ${name} has no entry`);
    if (entry.value === null) {
      throw new TaskflowError("not_found", `${name} is not set`, {
        hint: `taskflow config set ${name} VALUE, or ${SETTINGS[name].variables[0]} in the environment or .env`,
      });
    }
    await report.item(entry);
    return undefined;
  });

interface Change {
  readonly name: string;
  readonly value: string | null;
}

const changeView: View<Change> = { json: ({ name, value }) => ({ name, value }), line: () => null };

export const runConfigSet: Action = (ctx, operands, options) =>
  runSession(ctx, "config set", options, changeView, async ({ report }) => {
    exactly(operands, 2);
    const [name = "", value = ""] = operands;
    const file = openUserFile(ctx);
    await file.set(name, value);
    const known = settingNamed(name);
    await report.item({ name: known, value });
    await report.note(`${known} is kept in ${file.path}`);
    await noteIfHidden(ctx, known, report.note);
    return undefined;
  });

export const runConfigUnset: Action = (ctx, operands, options) =>
  runSession(ctx, "config unset", options, changeView, async ({ report }) => {
    exactly(operands, 1);
    const name = settingNamed(operands[0] ?? "");
    const file = openUserFile(ctx);
    if (!(await file.unset(name))) {
      throw new TaskflowError("not_found", `${name} is not in ${file.path}`, { hint: "taskflow config list --origin" });
    }
    await report.item({ name, value: null });
    await report.note(`${name} is no longer in ${file.path}`);
    return undefined;
  });

const pathView: View<string> = { json: (path) => ({ path }), line: (path) => path };

export const runConfigPath: Action = (ctx, operands, options: CommonOptions) =>
  runSession(ctx, "config path", options, pathView, async ({ report }) => {
    exactly(operands, 0);
    await report.item(openUserFile(ctx).path);
    return undefined;
  });

/** A value that something above the user file hides would surprise. */
async function noteIfHidden(
  ctx: Context,
  name: ReturnType<typeof settingNamed>,
  note: (text: string) => Promise<void>,
): Promise<void> {
  const settings = await resolveSettings({ ...ctx, flags: {} });
  const { source, text } = settings.origin(name);
  if (source === "environment" || source === ".env") await note(`here ${text} says otherwise, and counts`);
}

function exactly(operands: readonly string[], number: number): void {
  if (operands.length === number) return;
  throw new TaskflowError("usage", `${operands.length} operands, where ${number} are needed`);
}
