import { TaskflowError } from "../errors.ts";
import { isWindowsDevice } from "./name.ts";

/** The grammar of a task id, as messages show it. */
export const TASK_GRAMMAR = "1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit";

/**
 * The text, if it is a task id. A task is named by people and by other programs, so a wrong id is refused, never
 * repaired: a repaired one would be another task.
 *
 * @throws `usage` with the grammar in the message.
 */
export function parseTask(text: string): string {
  const reason = refusal(text);
  if (reason === null) return text;
  throw new TaskflowError("usage", `invalid task id ${JSON.stringify(text)}: ${reason}`, {
    hint: `a task id is ${TASK_GRAMMAR}; no "..", no trailing dot, no Windows device name`,
  });
}

/** Whether a text is a task id, for those who read what others wrote. */
export function isTask(text: string): boolean {
  return refusal(text) === null;
}

const GRAMMAR = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function refusal(text: string): string | null {
  if (text === "") return `it is empty (a task id is ${TASK_GRAMMAR})`;
  if (!GRAMMAR.test(text)) return `a task id is ${TASK_GRAMMAR}`;
  if (text.includes("..")) return `".." is not allowed (a task id is ${TASK_GRAMMAR})`;
  if (text.endsWith(".")) return `it ends with a dot (a task id is ${TASK_GRAMMAR})`;
  if (isWindowsDevice(text)) return `Windows keeps that name for a device (a task id is ${TASK_GRAMMAR})`;
  return null;
}
