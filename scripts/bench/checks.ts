// After the run: is what was counted true? Every receipt that was counted stands in the chain exactly once, by the word of a validator that was
// not asked during the run; all validators end at one block; the programmes add up to the won, and to what was spent.
import { setTimeout as pause } from 'node:timers/promises'
import { type Client, createClient } from '../../rpc/client/index.ts'
import { issueFund, spendFund, spendWon } from './city.ts'
import type { Sent } from './load.ts'

const settleMs = 20_000
const tickMs = 100

/** What is wrong with the chain, in sentences; empty when all is well. Refusals with one of the codes `allowed` are part of the run. */
export async function checkChain(urls: readonly string[], sent: ReadonlyMap<string, Sent>, allowed: ReadonlySet<string> = new Set()): Promise<readonly string[]> {
  const clients = urls.map((url) => createClient({ url }))
  const wrong: string[] = []
  const pending = [...sent.values()].filter(({ outcome }) => outcome === 'pending').length
  if (pending > 0) wrong.push(`${pending} transactions have no receipt`)
  const refused = [...sent.values()].filter(({ outcome, code }) => outcome === 'refused' && !allowed.has(code ?? ''))
  if (refused.length > 0) wrong.push(`${refused.length} transactions were refused by a rule, the first with ${refused[0]?.code ?? 'no code'}`)
  if (!(await sameHead(clients))) wrong.push('the validators do not come to the same block')

  // the feed was read at the last validator
  const witness = clients[0] as Client
  const places = await countInChain(witness)
  const ok = [...sent].filter(([, { outcome }]) => outcome === 'ok')
  const missing = ok.filter(([id]) => places.get(id) !== 1).length
  if (missing > 0) wrong.push(`${missing} of ${ok.length} counted transactions do not stand in the chain exactly once`)
  return wrong
}

/** What is wrong with the funds that the city spends from, in sentences. `spends`: those that are final with status ok. */
export async function checkFunds(url: string, spends: number): Promise<readonly string[]> {
  const client = createClient({ url })
  const wrong: string[] = []
  for (const program of [spendFund, issueFund]) {
    const { holds, sums } = await client.call('points_audit', { program, recount: true })
    if (!holds) wrong.push(`the audit of ${program} does not hold`)
    if (program === spendFund && sums.unsettled !== spends * spendWon) wrong.push(`${spends} spends of ${spendWon} won were counted, and the chain has ${sums.unsettled} won spent`)
  }
  return wrong
}

export async function sameHead(clients: readonly Client[]): Promise<boolean> {
  const until = performance.now() + settleMs
  for (;;) {
    const heads = await Promise.all(clients.map(async (client) => client.call('chain_head', {})))
    if (heads.every(({ hash }) => hash === heads[0]?.hash)) return true
    if (performance.now() > until) return false
    await pause(tickMs)
  }
}

async function countInChain(client: Client): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>()
  const { height } = await client.call('chain_head', {})
  for (let at = 1; at <= height; at++) {
    const { ids } = await client.call('chain_getBlock', { height: at, transactions: 'ids' })
    for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1)
  }
  return times
}
