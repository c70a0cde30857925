/** What can be typed, in the order the help shows it. */
import type { AnyCommandSpec } from "../command.ts";
import { configCommands } from "./config.ts";
import { deleteCommand } from "./delete.ts";
import { downloadCommand } from "./download.ts";
import { listCommand } from "./list.ts";
import { showCommand } from "./show.ts";
import { undeleteCommand } from "./undelete.ts";
import { uploadCommand } from "./upload.ts";

export const ATTACH_COMMANDS: readonly AnyCommandSpec[] = [
  uploadCommand,
  listCommand,
  showCommand,
  downloadCommand,
  deleteCommand,
  undeleteCommand,
];

export const CONFIG_COMMANDS: readonly AnyCommandSpec[] = configCommands;
