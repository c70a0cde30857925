/** Servers of a test that end with it, however it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

export interface Keeper {
  /** For all that the servers write: gone once they are stopped. */
  readonly folder: string;
  /** Starts a server; what it says goes to NAME.log in the folder. */
  start(name: string, words: readonly string[]): Promise<void>;
  /** Ends all of them at once, and removes the folder. */
  stop(): Promise<void>;
}

/**
 * A shell in a session of its own is their parent, and listens to us: at the end of its input, which also comes when
 * this process is killed, it kills its children and removes the folder. It knows them by ids that nobody else can have
 * before it has waited for them.
 */
const KEEPER = `
children=
while IFS= read -r script; do
  sh "$script" &
  children="$children $!"
done
[ -z "$children" ] || kill -KILL $children 2>/dev/null
wait
rm -rf -- "$1"
`;

export async function startKeeper(what: string): Promise<Keeper> {
  const folder = await mkdtemp(path.join(tmpdir(), `taskflow-${what}-`));
  const shell = spawn("sh", ["-c", KEEPER, "keeper", folder], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  const ended = once(shell, "exit");
  // It may be gone already: then there is nothing left to stop.
  shell.stdin.on("error", () => undefined);
  return {
    folder,
    async start(name, words) {
      const script = path.join(folder, `${name}.sh`);
      const log = quote(path.join(folder, `${name}.log`));
      await writeFile(script, `cd ${quote(folder)} && exec ${words.map(quote).join(" ")} >${log} 2>&1 </dev/null\n`);
      shell.stdin.write(`${script}\n`);
    },
    async stop() {
      shell.stdin.end();
      await ended;
      if (existsSync(folder)) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
