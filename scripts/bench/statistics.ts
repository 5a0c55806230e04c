// Percentiles by rank: the smallest value that at least the given share of all values does not exceed. No interpolation, so each was measured.
export interface LatencySummary {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** NaN without values. `share` above 0, up to 1. */
export function percentile(sorted: readonly number[], share: number): number {
  // a share such as 0.07 times 100 is a hair above 7
  const rank = Math.ceil(Math.round(sorted.length * share * 1e6) / 1e6)
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN
}

/** Zeros without values: JSON knows no NaN. */
export function latencySummary(values: readonly number[]): LatencySummary {
  if (values.length === 0) return { p50: 0, p90: 0, p99: 0, max: 0 }
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => round(percentile(sorted, share))
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}

export function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits))
}

/** The smallest step whose figure is at least `share` of the best. */
export function smallestNearBest<T>(steps: readonly T[], figure: (step: T) => number, share: number): T | undefined {
  const best = Math.max(...steps.map(figure))
  return steps.find((step) => figure(step) >= best * share)
}
