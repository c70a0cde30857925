import { parseInteger } from "../../config/parse-values.ts";
import { defineCommand } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { collect, notEmpty, value } from "../parse.ts";

export interface ServeOptions extends CommonOptions {
  readonly port?: number;
  readonly host?: string;
  readonly cors?: readonly string[];
}

export const serveCommand = defineCommand<ServeOptions>({
  name: "serve",
  summary: "answer the signed links of a folder, over HTTP",
  operands: "",
  description:
    "Answer the links that presign and upload --link print for a folder, until it is stopped: Ctrl-C lets running\n" +
    "transfers end for up to 5 seconds. Prints its address on stdout, and a line for each request on stderr.\n" +
    "\n" +
    "Links are signed with the key in TASKFLOW_URL_KEY_FILE (default: url-key in the user's configuration folder), made on\n" +
    "first use. To change the key, add a line: openssl rand -hex 32 >> url-key. New links are signed with the last line;\n" +
    "old ones hold until the line of their key is removed. serve sees each change by itself.",
  examples: [
    "taskflow attach serve",
    "taskflow attach serve --port 0",
    "TASKFLOW_URL=https://files.example.com taskflow attach serve --port 8787 --cors https://app.example.com",
  ],
  configure: (command) =>
    command
      .option(
        "--port <n>",
        "the port; 0 takes a free one (default: of TASKFLOW_URL)",
        value("--port", parseInteger(0, 65_535)),
      )
      .option("--host <address>", "the address to listen on (default: 127.0.0.1)", notEmpty("--host"))
      .option("--cors <origin>", "pages of this origin may use links; may be repeated", collect),
  load: async () => (await import("../actions/serve.ts")).runServe,
});
