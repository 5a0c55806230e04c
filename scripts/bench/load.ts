// The load: signed transactions sent to the validators in turn, in JSON-RPC batches over kept connections, and their receipts read back from a subscription.
// A transaction counts as committed when the first validator's feed of final transactions names it with status ok.
import { toBase64url } from '../../primitives/bytes.ts'
import type { SignedTransaction } from '../../rpc/client/index.ts'

const batchMax = 100
const tickMs = 5

export interface Sent {
  readonly sentMs: number
  /** Receipt known here; undefined until then. */
  doneMs: number | undefined
  ok: boolean
}

export interface Load {
  /** Sends until `untilMs` (performance.now()), by a rate or with so many outstanding. */
  readonly run: (next: () => SignedTransaction | undefined, pace: { readonly perSecond: number } | { readonly outstanding: number }, untilMs: number) => Promise<void>
  readonly sent: ReadonlyMap<string, Sent>
  readonly rejected: () => ReadonlyMap<string, number>
  readonly outstanding: () => number
  readonly close: () => void
}

interface Answer {
  readonly id: number
  readonly error?: { readonly message: string; readonly data?: { readonly code?: string } }
}

export async function openLoad(urls: readonly string[]): Promise<Load> {
  const sent = new Map<string, Sent>()
  const rejected = new Map<string, number>()
  let outstanding = 0
  const feed = new WebSocket(`${(urls[0] as string).replace('http', 'ws')}/ws`)
  await new Promise((resolve, reject) => {
    feed.addEventListener('open', resolve)
    feed.addEventListener('error', reject)
  })
  feed.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as { params?: { item?: { id?: string; status?: string } } }
    const item = message.params?.item
    const entry = item?.id === undefined ? undefined : sent.get(item.id)
    if (entry === undefined || entry.doneMs !== undefined) return
    entry.doneMs = performance.now()
    entry.ok = item?.status === 'ok'
    outstanding--
  })
  feed.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: { channel: 'transactions' } }))

  const submit = async (url: string, batch: readonly SignedTransaction[]): Promise<void> => {
    const body = JSON.stringify(batch.map(({ bytes }, id) => ({ jsonrpc: '2.0', id, method: 'tx_submit', params: { transaction: toBase64url(bytes) } })))
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const answers = (await response.json()) as Answer | readonly Answer[]
    for (const { error } of Array.isArray(answers) ? (answers as readonly Answer[]) : [answers as Answer]) {
      if (error === undefined) continue
      outstanding--
      const code = error.data?.code ?? error.message
      rejected.set(code, (rejected.get(code) ?? 0) + 1)
    }
  }

  let turn = 0
  return {
    sent,
    rejected: () => rejected,
    outstanding: () => outstanding,
    close: () => feed.close(),
    run: async (next, pace, untilMs) => {
      const startMs = performance.now()
      let due = 0
      const underWay = new Set<Promise<void>>()
      while (performance.now() < untilMs) {
        const nowMs = performance.now()
        let room = 'perSecond' in pace ? Math.floor(((nowMs - startMs) * pace.perSecond) / 1_000) - due : pace.outstanding - outstanding
        while (room > 0) {
          const batch: SignedTransaction[] = []
          while (batch.length < Math.min(batchMax, Math.ceil(room / urls.length) + 1) && room > 0) {
            const transaction = next()
            if (transaction === undefined) return
            batch.push(transaction)
            room--
            due++
            outstanding++
            sent.set(toBase64url(transaction.id), { sentMs: performance.now(), doneMs: undefined, ok: false })
          }
          const call = submit(urls[turn++ % urls.length] as string, batch).finally(() => underWay.delete(call))
          underWay.add(call)
        }
        await new Promise((resolve) => setTimeout(resolve, tickMs))
      }
      await Promise.all(underWay)
    },
  }
}
