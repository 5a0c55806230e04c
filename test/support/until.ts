const firstPauseMs = 5
/** To ask nodes in this process more often takes the time that they need for what is waited for. */
const pauseMaxMs = 50

/** Resolves once the condition holds, which is asked less and less often; rejects after `ms`. */
export async function until(condition: () => boolean | Promise<boolean>, ms = 5_000): Promise<void> {
  const end = performance.now() + ms
  for (let pauseMs = firstPauseMs; !(await condition()); pauseMs = Math.min(2 * pauseMs, pauseMaxMs)) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}
