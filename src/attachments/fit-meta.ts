/** Making room for a text of unknown length among the metadata. */
import type { PutOptions } from "../storage/driver.ts";
import { MAX_METADATA_BYTES, metadataBytes } from "../storage/metadata.ts";

const CUT = "…";

/** `text`, its end replaced by `…` where the record with it as `meta[key]` would take more bytes than may be sent. */
export function fitMeta(record: PutOptions["record"], key: string, text: string): string {
  const fits = (value: string): boolean =>
    metadataBytes({ ...record, meta: { ...record.meta, [key]: value } }) <= MAX_METADATA_BYTES;
  // A character takes a byte at least; and none is cut in two.
  const characters = Array.from(text.slice(0, MAX_METADATA_BYTES));
  if (characters.join("") === text && fits(text)) return text;
  let most = 0;
  let tooMany = characters.length + 1;
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (fits(characters.slice(0, middle).join("") + CUT)) most = middle;
    else tooMany = middle;
  }
  return characters.slice(0, most).join("") + CUT;
}
