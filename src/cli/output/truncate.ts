import stringWidth from "string-width";

const CHARACTERS = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The text within so many columns of a terminal: cut between two characters as people see them, with `…`. */
export function truncate(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let width = 1;
  let cut = "";
  for (const { segment } of CHARACTERS.segment(text)) {
    width += stringWidth(segment);
    if (width > columns) break;
    cut += segment;
  }
  return `${cut.trimEnd()}…`;
}
