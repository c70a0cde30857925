/** S3's key order is that of the keys' UTF-8 bytes; JavaScript's own order is that of UTF-16 units. */

/** Negative where `a` comes first. The two orders differ only beyond U+FFFF, whose surrogates sort below U+E000. */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) return x < FIRST_SURROGATE || y < FIRST_SURROGATE ? x - y : rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Sorts in place, in key order. */
export function sortKeys(keys: string[]): string[] {
  // The built-in sort without a comparator is ten times faster, and right where there are no surrogates.
  return keys.some((key) => SURROGATE.test(key)) ? keys.sort(compareKeys) : keys.sort();
}

const FIRST_SURROGATE = 0xd800;
const FIRST_AFTER_SURROGATES = 0xe000;
const SURROGATE = /[\ud800-\udfff]/;

function rank(unit: number): number {
  return unit >= FIRST_AFTER_SURROGATES ? unit - 0x800 : unit + 0x2000;
}
