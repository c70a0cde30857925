/** A temporary home with a project in it, for tests that read real files. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { resolveSettings, type Settings, type SettingsInput } from "../../src/config/resolve.ts";
import { whichStore, type StoreChoice } from "../../src/config/which-store.ts";
import { isTaskflowError, type TaskflowError } from "../../src/errors.ts";

export interface Project {
  /** Not a repository; holds `repo`. */
  readonly home: string;
  /** Holds `.git`. */
  readonly repo: string;
  /** Writes a file under `home`, making its folders; a name that ends in `/` is a folder. Its absolute path. */
  readonly write: (name: string, content?: string) => string;
  readonly settings: (input?: Partial<SettingsInput>) => Promise<Settings>;
  readonly store: (input?: Partial<SettingsInput>) => Promise<StoreChoice>;
}

export const UID = process.getuid?.() ?? null;

export function project(): Project {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), "taskflow-config-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const home = path.join(root, "home");
  const write = (name: string, content = ""): string => {
    const file = path.join(home, name);
    mkdirSync(name.endsWith("/") ? file : path.dirname(file), { recursive: true });
    if (!name.endsWith("/")) writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  write("repo/.git/");
  const repo = path.join(home, "repo");
  const complete = (input: Partial<SettingsInput>): SettingsInput => ({
    flags: {},
    env: {},
    cwd: repo,
    home,
    uid: UID,
    platform: process.platform,
    ...input,
  });
  return {
    home,
    repo,
    write,
    settings: (input = {}) => resolveSettings(complete(input)),
    async store(input = {}) {
      const all = complete(input);
      return whichStore(await resolveSettings(all), all);
    },
  };
}

/** What the call throws or rejects with; fails where it does not, or with anything but a TaskflowError. */
export async function failure(run: () => unknown): Promise<TaskflowError> {
  try {
    await run();
  } catch (error) {
    if (isTaskflowError(error)) return error;
    throw error;
  }
  throw new Error("it did not fail");
}
