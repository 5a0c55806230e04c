// A kernel that goes by the machine's clock, so that the simulated doors can be held to the same suites as the real ones.
import { Kernel } from '../kernel.ts'

export function liveKernel(): { readonly kernel: Kernel; readonly stop: () => void } {
  const kernel = new Kernel()
  const startMs = performance.now()
  const timer = setInterval(() => kernel.runUntil(performance.now() - startMs, () => false), 1)
  return { kernel, stop: () => clearInterval(timer) }
}
