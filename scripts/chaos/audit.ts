// The outside checks, by RPC alone. Every node's chain is read block by block, with transactions and receipts, and compared with what was read first
// of that height; state roots and the sums of the fund are compared at equal heights all the time; and every acknowledged receipt must stand where it
// was said to stand, once.
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { DongbaekError, type ReceiptJson } from '../../rpc/client/index.ts'
import type { Random } from '../durability/random.ts'
import { settlesMs } from './bounds.ts'
import type { Field, Site } from './field.ts'
import { fund, grantWon, type Load } from './load.ts'
import { vitalProblems } from './vitals.ts'

const readEveryMs = 300
const sumsEveryMs = 1_000
/** Receipts that are looked up one by one at each node at the end, beside reading its whole chain. */
const lookedUpMax = 2_000
const atOnce = 16
/** Of one kind; what follows is counted only. */
const toldMax = 20

export interface Audit {
  /** Compares what was acknowledged with the chain as far as it was read. */
  readonly check: () => void
  /** A node whose files we damaged may answer with an error, but never wrongly. */
  readonly excuse: (site: Site) => void
  /** It was emptied: its chain is read again from the beginning. */
  readonly anew: (site: Site) => void
  /** Reads blocks of chance and the last ones; the errors that it answers with. */
  readonly examine: (site: Site, random: Random) => Promise<readonly string[]>
  /** After the load has stopped: everything, at every node, from genesis. */
  readonly finish: (random: Random) => Promise<void>
  readonly stop: () => Promise<void>
  readonly counts: () => { readonly lost: number; readonly doubled: number; readonly divergent: number; readonly blocks: number; readonly unknownRan: number }
}

export function startAudit(field: Field, load: Load, onViolation: (what: string) => void): Audit {
  const { sites } = field
  /** By height: the digest of what was read first, and where. */
  const blocks: { readonly digest: string; readonly from: string }[] = []
  const receipts = new Map<string, ReceiptJson>()
  const stateRoots = new Map<number, { readonly said: string; readonly from: string }>()
  const sumsAt = new Map<number, { readonly said: string; readonly from: string }>()
  const readTo = new Map<string, number>()
  const excused = new Set<string>()
  const lost = new Set<string>()
  const doubled = new Set<string>()
  const divergent = new Set<string>()
  const told = new Map<string, number>()
  let checked = 0
  let stopped = false

  const tell = (kind: string, what: string): void => {
    const count = (told.get(kind) ?? 0) + 1
    told.set(kind, count)
    if (count <= toldMax) onViolation(what)
  }

  const differs = (known: Map<number, { readonly said: string; readonly from: string }>, what: string, height: number, said: string, site: Site): void => {
    const first = known.get(height)
    if (first === undefined) known.set(height, { said, from: site.name })
    else if (first.said !== said) {
      divergent.add(`${what} ${height} ${site.name}`)
      tell('divergent', `${what} at height ${height}: ${site.name} says ${said}, ${first.from} said ${first.said}`)
    }
  }

  const readBlock = async (site: Site, height: number): Promise<void> => {
    // certificates of one block may differ: each is some quorum of its votes
    const { certificate: _certificate, ...block } = await site.client.call('chain_getBlock', { height, transactions: 'full' })
    const digest = createHash('sha256').update(JSON.stringify(block)).digest('hex')
    const first = blocks[height]
    if (first === undefined) {
      blocks[height] = { digest, from: site.name }
      for (const receipt of block.receipts ?? []) keep(receipt)
    } else if (first.digest !== digest) {
      divergent.add(`block ${height} ${site.name}`)
      tell('divergent', `block ${height} of ${site.name} (${block.hash}) is not that of ${first.from}`)
    }
  }

  const keep = (receipt: ReceiptJson): void => {
    // an envelope that came twice is refused by its own rules and is no run
    if (receipt.code?.startsWith('tx/') === true) return
    const earlier = receipts.get(receipt.id)
    if (earlier !== undefined) {
      doubled.add(receipt.id)
      tell('doubled', `${receipt.id} ran in block ${earlier.height} and again in block ${receipt.height}`)
    } else receipts.set(receipt.id, receipt)
  }

  const follow = async (site: Site): Promise<void> => {
    while (!stopped) {
      try {
        const { head, checkpoint } = await site.client.call('node_status', {})
        if (checkpoint !== undefined) differs(stateRoots, 'the certified state root', checkpoint.height, checkpoint.stateRoot, site)
        for (let height = (readTo.get(site.name) ?? 0) + 1; height <= head.height && !stopped; height++) {
          await readBlock(site, height)
          readTo.set(site.name, height)
        }
      } catch (error) {
        judge(site, error)
      }
      await pause(readEveryMs)
    }
  }

  const followSums = async (site: Site): Promise<void> => {
    while (!stopped) {
      await readSums(site).catch((error: unknown) => judge(site, error))
      await pause(sumsEveryMs)
    }
  }

  const readSums = async (site: Site): Promise<void> => {
    const { height, holds, ...said } = await site.client.call('points_audit', { program: fund, recount: true })
    if (!holds) tell('audit', `the audit of ${fund} does not hold at ${site.name}, height ${height}: ${JSON.stringify(said)}`)
    differs(sumsAt, 'the sums of the fund', height, JSON.stringify(said), site)
  }

  /** A node that cannot be reached, is starting or stopping says nothing wrong. */
  const judge = (site: Site, error: unknown): void => {
    if (!(error instanceof DongbaekError)) throw error
    if (/^client\/|^rpc\/stopping$|^node\//.test(error.code) || excused.has(site.name)) return
    // a node that was emptied has no fund before it has the blocks that made it
    if (error.code === 'points/not-found' && (readTo.get(site.name) ?? 0) < load.startedAt) return
    tell('answer', `${site.name} answered ${error.code}: ${error.message}`)
  }

  const checkReceipt = (receipt: ReceiptJson): void => {
    const found = receipts.get(receipt.id)
    if (found === undefined) {
      lost.add(receipt.id)
      tell('lost', `the receipt of ${receipt.id}, acknowledged in block ${receipt.height}, is in no block`)
    } else if (!isDeepStrictEqual(found, receipt)) {
      lost.add(receipt.id)
      tell('lost', `the receipt of ${receipt.id} was acknowledged as ${JSON.stringify(receipt)} and is ${JSON.stringify(found)}`)
    }
  }

  const following = [...sites.map(follow), ...sites.map(followSums)]

  /** Within settlesMs everywhere the same height, nothing waiting, the state certified; or what each said last. */
  const settled = async (): Promise<string | undefined> => {
    const until = performance.now() + settlesMs
    for (;;) {
      const said = await Promise.all(
        sites.map(async ({ client, name }) => {
          try {
            const { head, checkpoint, mempool, problems, ready } = await client.call('node_status', {})
            const isWell = ready && mempool.transactions === 0 && problems.length === 0 && checkpoint?.height === head.height
            return { isWell, at: `${head.height} ${head.hash} ${checkpoint?.stateRoot}`, words: `${name} stands at ${head.height}, certified to ${checkpoint?.height}, ${mempool.transactions} waiting, ${problems.join('; ')}` }
          } catch (error) {
            return { isWell: false, at: '', words: `${name}: ${(error as Error).message}` }
          }
        }),
      )
      if (said.every(({ isWell }) => isWell) && new Set(said.map(({ at }) => at)).size === 1) return undefined
      if (performance.now() > until || !sites.every(field.isRunning)) return said.map(({ words }) => words).join(' · ')
      await pause(sumsEveryMs / 4)
    }
  }

  const readAgain = async (site: Site): Promise<void> => {
    const { height: head } = await site.client.call('chain_head', {})
    if (head < blocks.length - 1) tell('lost', `${site.name} ends at block ${head}, and block ${blocks.length - 1} was read before`)
    for (let height = 1; height <= head; height++) await readBlock(site, height)
  }

  const checkVitals = async (site: Site): Promise<void> => {
    const metrics = await (await fetch(`${site.node.rpc}/metrics`, { signal: AbortSignal.timeout(settlesMs) })).text()
    for (const problem of vitalProblems(metrics)) tell('vitals', `${site.name}: ${problem}`)
  }

  const lookUp = async (site: Site, chosen: readonly ReceiptJson[]): Promise<void> => {
    for (let from = 0; from < chosen.length; from += atOnce) {
      await Promise.all(
        chosen.slice(from, from + atOnce).map(async (receipt) => {
          try {
            const found = await site.client.call('tx_get', { id: receipt.id })
            if (isDeepStrictEqual(found.receipt, receipt)) return
            tell('lost', `${site.name} holds another receipt of ${receipt.id}: ${JSON.stringify(found.receipt)}`)
          } catch (error) {
            tell('lost', `${site.name} lacks the receipt of ${receipt.id} in block ${receipt.height}: ${(error as Error).message}`)
          }
          lost.add(receipt.id)
        }),
      )
    }
  }

  /** Every won by our own account of what was sent. */
  const checkSums = async (site: Site): Promise<void> => {
    const spentBy = new Map<string, number>()
    for (const { id, citizen, amount } of load.sent.values()) if (receipts.get(id)?.status === 'ok') spentBy.set(citizen, (spentBy.get(citizen) ?? 0) + amount)
    const strangers = receipts.size - load.preparations - [...load.sent.keys()].filter((id) => receipts.has(id)).length
    if (strangers !== 0) tell('strangers', `${strangers} transactions ran that nobody sent`)
    const spent = [...spentBy.values()].reduce((sum, each) => sum + each, 0)
    const { sums } = await site.client.call('points_audit', { program: fund, recount: true })
    const held = load.citizens.length * grantWon - spent
    if (sums.unsettled !== spent || sums.held !== held) tell('audit', `${site.name} has ${sums.unsettled} won spent and ${sums.held} held, where ${spent} and ${held} are right`)
    for (const did of load.citizens) {
      const { balance } = await site.client.call('points_balance', { did, program: fund })
      const right = grantWon - (spentBy.get(did) ?? 0)
      if (balance !== right) tell('audit', `${site.name} gives ${did} a balance of ${balance}, where ${right} is right`)
    }
  }

  const stop = async (): Promise<void> => {
    stopped = true
    await Promise.all(following)
  }

  return {
    check: () => {
      // what stands in blocks that nobody has read yet waits for the next check
      const readUpTo = blocks.length - 1
      while (checked < load.acknowledged.length) {
        const receipt = load.acknowledged[checked] as ReceiptJson
        if (receipt.height > readUpTo) return
        checkReceipt(receipt)
        checked++
      }
    },
    excuse: (site) => void excused.add(site.name),
    anew: (site) => {
      excused.delete(site.name)
      readTo.set(site.name, 0)
    },
    examine: async (site, random) => {
      const errors: string[] = []
      const { height: head } = await site.client.call('chain_head', {})
      const heights = new Set([...Array.from({ length: 200 }, () => random.between(1, head + 1)), ...Array.from({ length: Math.min(100, head) }, (_, i) => head - i)])
      for (const height of heights) {
        try {
          await readBlock(site, height)
        } catch (error) {
          errors.push((error as Error).message)
        }
      }
      await readSums(site).catch((error: unknown) => errors.push((error as Error).message))
      return errors
    },
    finish: async (random) => {
      const why = await settled()
      if (why !== undefined) tell('settled', `the network does not come to rest: ${why}`)
      await stop()
      const chosen = load.acknowledged.length <= lookedUpMax ? load.acknowledged : Array.from({ length: lookedUpMax }, () => random.pick(load.acknowledged))
      for (const site of sites) {
        try {
          await readAgain(site)
          await lookUp(site, chosen)
          await checkSums(site)
          await checkVitals(site)
        } catch (error) {
          tell('answer', `${site.name} at the end: ${(error as Error).message}`)
        }
      }
      const unread = load.acknowledged.filter(({ height }) => height >= blocks.length)
      // a node that is gone is told of already; what nobody could read is not called lost
      if (unread.length > 0) tell('unread', `${unread.length} acknowledged receipts stand in blocks from ${Math.min(...unread.map(({ height }) => height))} on, which no node could show`)
      for (const receipt of load.acknowledged) if (receipt.height < blocks.length) checkReceipt(receipt)
    },
    stop,
    counts: () => ({ lost: lost.size, doubled: doubled.size, divergent: divergent.size, blocks: Math.max(0, blocks.length - 1), unknownRan: [...load.unknown].filter((id) => receipts.has(id)).length }),
  }
}
