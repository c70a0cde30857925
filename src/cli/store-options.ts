/** The commands that we name to people: with what was typed to reach the store, for the settings are there anyway. */
import type { CommonOptions } from "./command.ts";
import { shellQuote } from "./output/format.ts";

export type StoreOptions = Pick<CommonOptions, "store" | "endpoint" | "region" | "profile" | "caFile">;

/** ` --store s3://acme --endpoint …`: what goes to the end of a command; empty where nothing was typed. */
export function typedStore({ store, endpoint, region, profile, caFile }: StoreOptions): string {
  const given = { store, endpoint, region, profile, "ca-file": caFile };
  return Object.entries(given)
    .flatMap(([name, value]) => (value === undefined ? [] : [` --${name} ${shellQuote(value)}`]))
    .join("");
}

/**
 * A text with those options in each `taskflow attach …` of it: before the command's name, where they are taken too, for
 * nobody can tell where in a sentence a command ends. `copy` has options of its own.
 */
export function reachingStore(text: string, options: StoreOptions): string {
  const typed = typedStore(options);
  return typed === "" ? text : text.replaceAll(/\btaskflow attach(?= )(?! copy\b)/g, (command) => command + typed);
}
