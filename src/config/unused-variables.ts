import type { Dotenv } from "./dotenv.ts";
import { nearest } from "./nearest.ts";
import { setting, SETTING_NAMES } from "./settings.ts";

/** AWS's variables that choose who one is: the SDK reads them from the environment, never from `.env`. */
const NOT_FROM_DOTENV = /^AWS_(?:CONFIG_FILE|SHARED_CREDENTIALS_FILE|ROLE_ARN|WEB_IDENTITY_TOKEN_FILE|CONTAINER_\w+)$/;

/** Misspelt variables of ours, and those that a `.env` can't set: an ignored setting is worth a line. */
export function unusedVariables(env: Readonly<Record<string, string | undefined>>, dotenv: Dotenv): readonly string[] {
  const known = SETTING_NAMES.flatMap((name) => setting(name).variables);
  const misspelt = (variable: string, place: string): string[] => {
    if (!variable.startsWith("TASKFLOW_") || known.includes(variable)) return [];
    const near = nearest(variable, known);
    return near === null ? [] : [`${variable} in ${place} is not used: did you mean ${near}?`];
  };
  const inFile = [...dotenv.variables].flatMap(([variable, { line }]) => {
    const place = `${dotenv.path ?? ".env"} line ${line}`;
    if (!NOT_FROM_DOTENV.test(variable)) return misspelt(variable, place);
    return [`${variable} in ${place} is not used: set it in the environment`];
  });
  return [...Object.keys(env).flatMap((variable) => misspelt(variable, "the environment")), ...inFile];
}
