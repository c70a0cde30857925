/** Parsers of option values for commander: the grammars are config's, the error names the option. */
import { TaskflowError } from "../errors.ts";
import { optionValue } from "../config/parse-values.ts";
import type { Parser } from "../config/parse-values.ts";

/** `command.option("--limit <n>", …, value("--limit", parseInteger(1)))` */
export function value<T>(flag: string, parse: Parser<T>): (text: string) => T {
  return (text) => optionValue(flag, text, parse);
}

/** An option that may be given several times. */
export function collect(text: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), text];
}

/** One of a few words. */
export function choice<const T extends string>(flag: string, words: readonly T[]): (text: string) => T {
  return (text) => {
    const known = words.find((word) => word === text);
    if (known !== undefined) return known;
    throw new TaskflowError("usage", `${flag} ${JSON.stringify(text)}: not one of ${words.join(", ")}`);
  };
}

/** An option whose empty value is an unset variable of the script rather than a wish. */
export function notEmpty(flag: string): (text: string) => string {
  return (text) => {
    if (text !== "") return text;
    throw new TaskflowError("usage", `${flag} is empty`, { hint: "is a variable of the script unset?" });
  };
}
