// Counters of the RPC itself, in Prometheus text, added to those of the node.

export interface CallMetrics {
  readonly count: (method: string, errorNumber: number, ms: number) => void
  readonly text: (gauges: { readonly sockets: number }) => string
}

interface Counted {
  readonly errors: Map<number, number>
  calls: number
  ms: number
}

/** Methods are those of the table and `unknown`, error numbers those of errors.ts: both are bounded. */
export function createCallMetrics(): CallMetrics {
  const counted = new Map<string, Counted>()
  return {
    count: (method, errorNumber, ms) => {
      let entry = counted.get(method)
      if (entry === undefined) counted.set(method, (entry = { calls: 0, ms: 0, errors: new Map() }))
      entry.calls++
      entry.ms += ms
      if (errorNumber !== 0) entry.errors.set(errorNumber, (entry.errors.get(errorNumber) ?? 0) + 1)
    },
    text: ({ sockets }) => {
      const lines = ['# HELP dongbaek_rpc_calls_total Calls answered.', '# TYPE dongbaek_rpc_calls_total counter']
      for (const [method, { calls }] of counted) lines.push(`dongbaek_rpc_calls_total{method="${method}"} ${calls}`)
      lines.push('# HELP dongbaek_rpc_call_seconds_total Time from a call to its answer.', '# TYPE dongbaek_rpc_call_seconds_total counter')
      for (const [method, { ms }] of counted) lines.push(`dongbaek_rpc_call_seconds_total{method="${method}"} ${(ms / 1_000).toFixed(6)}`)
      lines.push('# HELP dongbaek_rpc_errors_total Calls answered by an error, by its number.', '# TYPE dongbaek_rpc_errors_total counter')
      for (const [method, { errors }] of counted) for (const [number, times] of errors) lines.push(`dongbaek_rpc_errors_total{method="${method}",code="${number}"} ${times}`)
      lines.push('# HELP dongbaek_rpc_sockets WebSocket connections.', '# TYPE dongbaek_rpc_sockets gauge', `dongbaek_rpc_sockets ${sockets}`)
      return `${lines.join('\n')}\n`
    },
  }
}
