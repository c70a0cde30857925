/** CRC32 of a whole, from the CRC32s of its pieces: what zlib calls crc32_combine. */

/** What so many zero bytes after it make of a CRC: a matrix over GF(2), a column a bit. */
export type Shift = readonly number[];

/** The polynomial of CRC32, bits reversed. */
const POLYNOMIAL = 0xedb88320;

/** The shift by `bytes` zero bytes. Some microseconds; keep it where many pieces have one length. */
export function shiftBy(bytes: number): Shift {
  let power = ONE_BYTE;
  let result = IDENTITY;
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = compose(power, result);
    power = compose(power, power);
  }
  return result;
}

/** The CRC32 of A and B in a row, where `shift` is by the length of B. */
export function combine(crcOfA: number, crcOfB: number, shift: Shift): number {
  return (apply(shift, crcOfA) ^ crcOfB) >>> 0;
}

/** As S3 has it in headers: four bytes, the highest first, in base64. */
export function crcHeader(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString("base64");
}

function apply(shift: Shift, crc: number): number {
  return shift.reduce((sum, column, bit) => ((crc >>> bit) & 1 ? sum ^ column : sum), 0) >>> 0;
}

function compose(outer: Shift, inner: Shift): Shift {
  return inner.map((column) => apply(outer, column));
}

const IDENTITY: Shift = Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0);
const ONE_BIT: Shift = [POLYNOMIAL, ...IDENTITY.slice(0, -1)];
const TWO_BITS = compose(ONE_BIT, ONE_BIT);
const FOUR_BITS = compose(TWO_BITS, TWO_BITS);
const ONE_BYTE = compose(FOUR_BITS, FOUR_BITS);
