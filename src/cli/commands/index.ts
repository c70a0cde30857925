/** What can be typed, in the order the help shows it. */
import type { AnyCommandSpec, CommandGroup } from "../command.ts";
import { configCommands } from "./config.ts";
import { copyCommand } from "./copy.ts";
import { deleteCommand } from "./delete.ts";
import { doctorCommand } from "./doctor.ts";
import { downloadCommand } from "./download.ts";
import { lifecycleCommands } from "./lifecycle.ts";
import { listCommand } from "./list.ts";
import { presignCommand } from "./presign.ts";
import { runCommand } from "./run.ts";
import { serveCommand } from "./serve.ts";
import { showCommand } from "./show.ts";
import { thawCommand } from "./thaw.ts";
import { undeleteCommand } from "./undelete.ts";
import { uploadCommand } from "./upload.ts";
import { verifyCommand } from "./verify.ts";

export const ATTACH_COMMANDS: readonly (AnyCommandSpec | CommandGroup)[] = [
  uploadCommand,
  listCommand,
  showCommand,
  downloadCommand,
  deleteCommand,
  undeleteCommand,
  thawCommand,
  presignCommand,
  serveCommand,
  verifyCommand,
  lifecycleCommands,
  runCommand,
  copyCommand,
  doctorCommand,
];

export const CONFIG_COMMANDS: readonly AnyCommandSpec[] = configCommands;
