/** What a class costs: an estimate to compare classes with, of storage alone. */

/** List prices, USD a GiB and month, the first 50 TB of STANDARD (aws.amazon.com/s3/pricing). */
export const PRICES = {
  region: "us-east-1",
  /** The month they were taken down in. */
  asOf: "2026-11",
  usdPerGiBMonth: {
    STANDARD: 0.023,
    STANDARD_IA: 0.0125,
    GLACIER: 0.0036,
    DEEP_ARCHIVE: 0.000_99,
  },
} as const;

const GIB = 1024 ** 3;

/** USD, to a hundredth of a cent; `null` for a class whose price isn't known here. */
export function monthlyCost(storageClass: string, bytes: number): number | null {
  const price: number | undefined = new Map<string, number>(Object.entries(PRICES.usdPerGiBMonth)).get(storageClass);
  return price === undefined ? null : Math.round((bytes / GIB) * price * 10_000) / 10_000;
}
