// Percentiles by rank: the smallest value that at least the given share of all values does not exceed.
export function percentile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] as number
}

export function latencySummary(values: readonly number[]): { readonly p50: number; readonly p90: number; readonly p99: number; readonly max: number } {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => Math.round(percentile(sorted, share) * 10) / 10
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}
