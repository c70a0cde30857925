import { parseOrigin } from "../../config/parse-url.ts";
import { defineCommand } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { value } from "../parse.ts";

export interface DoctorOptions extends CommonOptions {
  readonly write?: boolean;
  readonly origin?: string;
  readonly fix?: boolean;
}

export const doctorCommand = defineCommand<DoctorOptions>({
  name: "doctor",
  summary: "check settings, credentials and the store, and say the fix",
  operands: "",
  description:
    "Check settings, credentials and the store, and say what to do about what is wrong. Each check is ok, warn, fail or\n" +
    "skip: what the store doesn't have, or what can't be looked at. The exit code is that of the first failure.\n" +
    "\n" +
    "Nothing is changed without --write and --fix. --fix clears what crashes left behind, and says what it did: in a\n" +
    "folder what is older than a day and can be explained, in a bucket unfinished uploads older than 7 days.",
  examples: [
    "taskflow attach doctor",
    "taskflow attach doctor --write --origin https://app.example.com",
    "taskflow attach doctor --store ./uploads --fix",
  ],
  configure: (command) =>
    command
      .option("--write", "put, read and delete a probe too: each permission that is missing is named")
      .option(
        "--origin <url>",
        "ask as a browser whether pages of this origin may use links",
        value("--origin", parseOrigin),
      )
      .option("--fix", "clear what crashes left behind long ago"),
  load: async () => (await import("../actions/doctor.ts")).runDoctor,
});
