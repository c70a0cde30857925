import type { Dotenv } from "./dotenv.ts";
import { nearest } from "./nearest.ts";
import { setting, SETTING_NAMES } from "./settings.ts";

/** AWS's variables that choose who one is: the SDK reads them from the environment, never from `.env`. */
const NOT_FROM_DOTENV = /^AWS_(?:CONFIG_FILE|SHARED_CREDENTIALS_FILE|ROLE_ARN|WEB_IDENTITY_TOKEN_FILE|CONTAINER_\w+)$/;

/** Misspelt variables, and those that a `.env` can't set: an ignored setting is worth a line. */
export function unusedVariables(env: Readonly<Record<string, string | undefined>>, dotenv: Dotenv): readonly string[] {
  const misspelt = (variable: string, place: string): string[] => {
    if (!/^(?:TASKFLOW|AWS)_/.test(variable) || KNOWN.includes(variable) || isAnothers(variable)) return [];
    const near = nearest(variable, KNOWN);
    return near === null ? [] : [`${variable} in ${place} is not used: did you mean ${near}?`];
  };
  const inFile = [...dotenv.variables].flatMap(([variable, { line }]) => {
    const place = `${dotenv.path ?? ".env"} line ${line}`;
    if (!NOT_FROM_DOTENV.test(variable)) return misspelt(variable, place);
    return [`${variable} in ${place} is not used: set it in the environment`];
  });
  return [...Object.keys(env).flatMap((variable) => misspelt(variable, "the environment")), ...inFile];
}

const KNOWN = SETTING_NAMES.flatMap((name) => setting(name).variables);

/** AWS's endpoint of another service, and a project's own: a list (`AWS_REGIONS`), or one of several (`AWS_REGION_2`). */
function isAnothers(variable: string): boolean {
  if (variable.startsWith("AWS_ENDPOINT_URL_")) return true;
  const [, stem = ""] = /^(AWS_.+?)(?:S|_?\d+)$/.exec(variable) ?? [];
  return KNOWN.includes(stem);
}
