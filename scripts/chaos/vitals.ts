// How a process is, by its own metrics: what its heap holds and how late its event loop runs. Node programs have died of both, slowly.
import { heapBytesMax, loopLagP50MsMax } from './bounds.ts'

/** What is beyond its bound, in words; also what the metrics do not tell. `metrics` is the text of GET /metrics (Prometheus). The lag is that since they were last read. */
export function vitalProblems(metrics: string): readonly string[] {
  const value = (name: string): number => Number(new RegExp(`^dongbaek_process_${name} (\\S+)$`, 'm').exec(metrics)?.[1])
  const heapBytes = value('nodejs_heap_size_used_bytes')
  const lagMs = 1_000 * value('nodejs_eventloop_lag_p50_seconds')
  const problems: string[] = []
  // written so that a figure that is missing, NaN, is a problem
  if (!(heapBytes <= heapBytesMax)) problems.push(`its heap holds ${heapBytes} bytes, at most ${heapBytesMax} are allowed`)
  if (!(lagMs <= loopLagP50MsMax)) problems.push(`its event loop is ${lagMs} ms late half of the time, at most ${loopLagP50MsMax} are allowed`)
  return problems
}
