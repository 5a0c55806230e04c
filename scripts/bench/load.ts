// The load: signed transactions sent to all validators in turn, in JSON-RPC batches over kept connections, and their receipts read back from one
// validator's feed of final transactions. What was sent stays in `sent`, with what became of it.
import type { Pool, Prepared } from './pool.ts'

/** What a node takes in one batch. */
const batchMax = 100
const tickMs = 2

export interface Sent {
  /** In an open loop when it was due, in a closed one when it was sent (performance.now()). */
  readonly sentMs: number
  /** `rejected`: by a node, before it was ordered. `refused`: by a rule, in a final receipt. */
  outcome: 'pending' | 'ok' | 'refused' | 'rejected'
  /** When this became known here. */
  doneMs: number
  code: string | undefined
}

export type Pace = { readonly perSecond: number } | { readonly outstanding: number }

export interface Load {
  /** Sends until `untilMs` (performance.now()); resolves when all that was sent has been answered by the node that took it. */
  readonly run: (pool: Pool, pace: Pace, untilMs: number) => Promise<void>
  /** Sends `count` of the pool, `outstanding` under way at any time, and waits for what becomes of them. Throws when nothing becomes of any for a while. */
  readonly send: (pool: Pool, count: number, outstanding: number) => Promise<void>
  /** Sends these, `outstanding` at a time, and waits for their receipts. Throws unless all are ok. */
  readonly finish: (transactions: readonly Prepared[], what: string) => Promise<void>
  /** Resolves when nothing is pending, or after `maxMs`. */
  readonly drain: (maxMs: number) => Promise<void>
  readonly sent: ReadonlyMap<string, Sent>
  /** Requests that failed as a whole; their transactions stay pending until a receipt comes. */
  readonly failures: () => readonly string[]
  readonly close: () => void
}

interface Answer {
  readonly id: number
  readonly error?: { readonly message: string; readonly data?: { readonly code?: string } }
}

interface Notification {
  readonly params?: { readonly item?: { readonly id: string; readonly status: 'ok' | 'refused'; readonly code?: string }; readonly error?: { readonly message: string } }
}

const finishOutstanding = 1_000
const finishMs = 120_000
/** Without a single receipt. A change of the view takes seconds on a busy machine. */
const stalledMs = 60_000

/** Sends to all `urls`; reads at `readUrl`. */
export async function openLoad(urls: readonly string[], readUrl: string): Promise<Load> {
  const sent = new Map<string, Sent>()
  const failures: string[] = []
  let pending = 0

  const settle = (id: string, outcome: Sent['outcome'], code: string | undefined): void => {
    const entry = sent.get(id)
    // a rejection may follow the receipt of a copy; the first word that is final counts
    if (entry === undefined || (entry.outcome !== 'pending' && entry.outcome !== 'rejected')) return
    if (entry.outcome === 'pending') pending--
    entry.outcome = outcome
    entry.doneMs = performance.now()
    entry.code = code
  }

  const feed = await follow(readUrl, ({ params }) => {
    if (params?.error !== undefined) failures.push(`the feed ended: ${params.error.message}`)
    else if (params?.item !== undefined) settle(params.item.id, params.item.status, params.item.code)
  })

  const submit = async (url: string, batch: readonly Prepared[]): Promise<void> => {
    const body = `[${batch.map(({ encoded }, id) => `{"jsonrpc":"2.0","id":${id},"method":"tx_submit","params":{"transaction":"${encoded}"}}`).join(',')}]`
    try {
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      for (const { id, error } of (await response.json()) as readonly Answer[]) if (error !== undefined) settle((batch[id] as Prepared).id, 'rejected', error.data?.code ?? error.message)
    } catch (error) {
      failures.push(`${url}: ${(error as Error).message}`)
    }
  }

  let turn = 0
  const sendAll = (transactions: readonly Prepared[], sentMs: (i: number) => number, underWay: Set<Promise<void>>): void => {
    // spread over the validators first, then cut to what one batch may hold
    const each = Math.min(batchMax, Math.ceil(transactions.length / urls.length))
    for (let from = 0; from < transactions.length; from += each) {
      const batch = transactions.slice(from, from + each)
      batch.forEach(({ id }, i) => sent.set(id, { sentMs: sentMs(from + i), outcome: 'pending', doneMs: 0, code: undefined }))
      pending += batch.length
      const call = submit(urls[turn++ % urls.length] as string, batch).finally(() => underWay.delete(call))
      underWay.add(call)
    }
  }

  const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, tickMs))

  const drain = async (maxMs: number): Promise<void> => {
    const until = performance.now() + maxMs
    while (pending > 0 && performance.now() < until) await tick()
  }

  return {
    sent,
    drain,
    failures: () => failures,
    close: () => feed.close(),
    run: async (pool, pace, untilMs) => {
      const underWay = new Set<Promise<void>>()
      const startMs = performance.now()
      let given = 0
      for (let nowMs = startMs; nowMs < untilMs; nowMs = performance.now()) {
        const room = 'perSecond' in pace ? Math.floor(((nowMs - startMs) * pace.perSecond) / 1_000) - given : pace.outstanding - pending
        if (room > 0) {
          const first = given
          const transactions = await pool.take(room)
          given += transactions.length
          sendAll(transactions, (i) => ('perSecond' in pace ? startMs + ((first + i + 1) * 1_000) / pace.perSecond : performance.now()), underWay)
        }
        await tick()
      }
      await Promise.all(underWay)
    },
    send: async (pool, count, outstanding) => {
      const underWay = new Set<Promise<void>>()
      let left = count
      let pendingBefore = pending
      let movedMs = performance.now()
      while (left > 0 || pending > 0) {
        // before what became final is made up for again
        if (pending !== pendingBefore) movedMs = performance.now()
        const room = Math.min(left, outstanding - pending)
        if (room > 0) {
          sendAll(await pool.take(room), () => performance.now(), underWay)
          left -= room
        }
        pendingBefore = pending
        if (performance.now() - movedMs > stalledMs) throw new Error(`${pending} transactions are pending, and none of them became final for ${stalledMs / 1_000} s ${failures.join('; ')}`)
        await tick()
      }
      await Promise.all(underWay)
    },
    finish: async (transactions, what) => {
      const underWay = new Set<Promise<void>>()
      const until = performance.now() + finishMs
      for (let from = 0; from < transactions.length && performance.now() < until; await tick()) {
        const room = finishOutstanding - pending
        if (room > 0) sendAll(transactions.slice(from, from + room), () => performance.now(), underWay)
        from += Math.max(0, room)
      }
      await Promise.all(underWay)
      await drain(until - performance.now())
      const bad = transactions.find(({ id }) => sent.get(id)?.outcome !== 'ok')
      if (bad !== undefined) throw new Error(`${what}: a transaction is ${sent.get(bad.id)?.outcome ?? 'unsent'} (${sent.get(bad.id)?.code ?? 'no code'}) ${failures.join('; ')}`)
    },
  }
}

/** Every final transaction from now on, each once, as one validator tells it. */
async function follow(url: string, take: (message: Notification) => void): Promise<{ readonly close: () => void }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
  let closing = false
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error(`no WebSocket at ${url}`)))
  })
  const subscribed = new Promise<void>((resolve) => socket.addEventListener('message', () => resolve(), { once: true }))
  socket.addEventListener('message', ({ data }) => take(JSON.parse(String(data)) as Notification))
  socket.addEventListener('close', ({ code, reason }) => {
    if (!closing) take({ params: { error: { message: `closed by the node with ${code} ${reason}` } } })
  })
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: { channel: 'transactions' } }))
  await subscribed
  return {
    close: () => {
      closing = true
      socket.close()
    },
  }
}
