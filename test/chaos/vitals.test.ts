// The limits on heap and event loop that a long run ends with, on the metrics as the library writes them.
import { setTimeout as pause } from 'node:timers/promises'
import { collectDefaultMetrics, Registry } from 'prom-client'
import t from 'tap'
import { heapBytesMax, loopLagP50MsMax } from '../../scripts/chaos/bounds.ts'
import { vitalProblems } from '../../scripts/chaos/vitals.ts'

t.test('lodestar #6129, #6078, #7377: event loop lag, heap leaks. Beyond a limit, or not told at all, either is a problem', async (t) => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'dongbaek_process_' })
  await pause(50)
  const well = await registry.metrics()
  t.same(vitalProblems(well), [])
  const becomes = (name: string, value: string): string => {
    const changed = well.replace(new RegExp(`^(dongbaek_process_${name}) \\S+$`, 'm'), value === '' ? '' : `$1 ${value}`)
    t.not(changed, well, name)
    return changed
  }
  t.match(vitalProblems(becomes('nodejs_heap_size_used_bytes', `${heapBytesMax + 1}`)), [/heap/])
  t.match(vitalProblems(becomes('nodejs_eventloop_lag_p50_seconds', `${(loopLagP50MsMax + 1) / 1_000}`)), [/event loop/])
  t.match(vitalProblems(becomes('nodejs_heap_size_used_bytes', '')), [/heap holds NaN/])
  t.match(vitalProblems(becomes('nodejs_eventloop_lag_p50_seconds', 'Nan')), [/NaN ms/])
  t.equal(vitalProblems('').length, 2)
})
