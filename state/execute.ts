// Execution: ordered transactions over the state give receipts, changes and a root, the same on every node.
import type { Hash, Height, TimeMs } from '../primitives/brand.ts'
import { assert } from '../primitives/errors.ts'
import { sha256 } from '../primitives/hash.ts'
import { type BlockOutcome, type Receipt, receiptLeaves, receiptsRoot, transactionEventsMax } from './receipt.ts'
import { blockRecordTable } from './block-record.ts'
import { isAuthorised } from './did/authority.ts'
import { families, type ReadyTransaction } from './families.ts'
import { type BlockInfo, type Event, refuse, type Refusal } from './family.ts'
import { isPaused } from './governance/pause.ts'
import { checkRulesKnown } from './governance/rule-sets.ts'
import { readParameters } from './parameters.ts'
import { keyHashOf } from './proof.ts'
import type { SeenIds } from './seen.ts'
import type { PageWrite, StateTree } from './tree.ts'
import { createOverlay, type Overlay, type StateChange, type StateSource, type ValueCache } from './view.ts'

export interface State {
  /** The committed state, this node's own unwritten changes included. */
  readonly source: StateSource
  readonly cache: ValueCache
  readonly tree: StateTree
  readonly seen: SeenIds
}

export interface ExecutableBlock {
  readonly chain: string
  readonly height: Height
  readonly hash: Hash
  readonly timeMs: TimeMs
  readonly transactions: readonly ReadyTransaction[]
}

export interface Executed {
  readonly outcome: BlockOutcome
  readonly receipts: readonly Receipt[]
  /** What the receipts root is over: the encoded outcome, then the encoded receipts. */
  readonly leaves: readonly Uint8Array[]
  readonly receiptsRoot: Hash
  readonly changes: readonly StateChange[]
  readonly pages: readonly PageWrite[]
  readonly stateRoot: Hash
}

/** Runs a block on the state and moves the tree, the cache and the seen ids on. The caller stores `changes` and `pages`, both in one write. Throws `state/rules-unknown`, and has changed nothing then. */
export function executeBlock(state: State, block: ExecutableBlock): Executed {
  const run = executeInSteps(state, block, block.transactions.length)
  for (;;) {
    const step = run.next()
    if (step.done === true) return step.value
  }
}

/** executeBlock with a pause after every `stepTransactions`: the caller may do other things meanwhile, but not with this state. */
export function* executeInSteps(state: State, block: ExecutableBlock, stepTransactions: number): Generator<void, Executed, void> {
  const overlay = createOverlay(state.source, state.cache)
  const info: BlockInfo = { chain: block.chain, height: block.height, timeMs: block.timeMs }
  checkRulesKnown(overlay, block.height)
  const blockEvents: Event[] = []
  beginBlock(overlay, info, (event) => blockEvents.push(event))
  state.seen.forget(block.timeMs)
  // as it was before the block: which ids are remembered can then be told from the blocks and the history of parameters (recallIds)
  const latestMs = block.timeMs + readParameters(overlay).transactionValidityMsMax
  const receipts: Receipt[] = []
  for (const ready of block.transactions) {
    if (receipts.length > 0 && receipts.length % stepTransactions === 0) yield
    receipts.push(run(overlay, info, ready, receipts.length, state.seen, latestMs))
    if (ready.transaction.validUntilMs <= latestMs) state.seen.add(ready.transaction)
  }
  const outcome: BlockOutcome = { height: block.height, events: blockEvents }
  const leaves = receiptLeaves(outcome, receipts)
  const root = receiptsRoot(leaves)
  overlay.put(blockRecordTable, [block.height], { hash: block.hash, timeMs: block.timeMs, receiptsRoot: root })
  return { outcome, receipts, leaves, receiptsRoot: root, ...settle(state, overlay) }
}

/** What falls due with a block, before its transactions. */
function beginBlock(view: Overlay, block: BlockInfo, emit: (event: Event) => void): void {
  for (const family of families) family.beginBlock?.({ block, view, emit })
}

/** The receipt that the transaction would have in a block made now on this state, after what is due by then. Changes nothing. */
export function simulateTransaction(state: State, block: BlockInfo, ready: ReadyTransaction): Receipt {
  const overlay = createOverlay(state.source, state.cache)
  beginBlock(overlay, block, () => undefined)
  return runAlone(overlay, state, block, ready)
}

function runAlone(overlay: Overlay, { seen }: State, block: BlockInfo, ready: ReadyTransaction): Receipt {
  return run(overlay, block, ready, 0, seen, block.timeMs + readParameters(overlay).transactionValidityMsMax)
}

/**
 * What speaks against ordering the transaction at all, as the state is now: a key that may not sign for its DID, or, where a DID comes into being, any rule. What the rules say
 * of other transactions is found out in order, in the block.
 */
export function refusalBeforeOrdering(state: State, block: BlockInfo, ready: ReadyTransaction): Refusal | undefined {
  if (ready.kind.createsSender === true) {
    const { status, code = '', data = {} } = runAlone(createOverlay(state.source, state.cache), state, block, ready)
    // what has run meanwhile is no refusal: its receipt is there
    return status === 'refused' && code !== 'tx/duplicate' ? refuse(code, data) : undefined
  }
  return checkKeys(createOverlay(state.source, state.cache), ready)
}

/** Applies the genesis sections, by family name, to the empty state. */
export function executeGenesis(state: State, block: BlockInfo, sections: ReadonlyMap<string, unknown>): Pick<Executed, 'changes' | 'pages' | 'stateRoot'> {
  const overlay = createOverlay(state.source, state.cache)
  for (const family of families) {
    const section = sections.get(family.name)
    if (family.genesis === undefined) assert(section === undefined, `no genesis section for ${family.name}`)
    else {
      assert(section !== undefined, `a genesis section for ${family.name}`)
      // the schema of the same family decoded it
      family.genesis.apply({ block, view: overlay, emit: () => {} }, section as never)
    }
  }
  return settle(state, overlay)
}

function settle(state: State, overlay: Overlay): Pick<Executed, 'changes' | 'pages' | 'stateRoot'> {
  const changes = overlay.changes()
  const pages = state.tree.update(changes.map(({ key, value, isNew }) => ({ keyHash: keyHashOf(key), valueHash: value === undefined ? undefined : sha256(value), isNew })))
  overlay.retain()
  return { changes, pages, stateRoot: state.tree.root() }
}

function run(overlay: Overlay, block: BlockInfo, ready: ReadyTransaction, index: number, seen: SeenIds, latestMs: number): Receipt {
  const { transaction } = ready
  const events: Event[] = []
  overlay.mark()
  const refusal = checkEnvelope(overlay, block, ready, seen, latestMs) ?? ready.kind.apply({ block, transaction, view: overlay, emit: (event) => events.push(event) }, ready.payload)
  if (refusal !== undefined) {
    overlay.takeBack()
    return { id: transaction.id, height: block.height, index, status: 'refused', code: refusal.code, data: refusal.data, events: [] }
  }
  assert(events.length <= transactionEventsMax, 'events of a transaction within bounds')
  return { id: transaction.id, height: block.height, index, status: 'ok', events }
}

/** The times come before the ids: of a transaction that could run now, every node remembers the same. */
function checkEnvelope(view: Overlay, block: BlockInfo, ready: ReadyTransaction, seen: SeenIds, latestMs: number): Refusal | undefined {
  const { transaction } = ready
  if (transaction.chain !== block.chain) return refuse('tx/wrong-chain', { chain: block.chain })
  if (block.timeMs > transaction.validUntilMs) return refuse('tx/expired', { blockTimeMs: block.timeMs })
  if (transaction.validUntilMs > latestMs) return refuse('tx/valid-until-too-far', { latestMs })
  if (seen.has(transaction)) return refuse('tx/duplicate')
  if (isPaused(view, transaction.kind)) return refuse('tx/family-paused', { kind: transaction.kind })
  return checkKeys(view, ready)
}

function checkKeys(view: Overlay, { transaction, kind }: ReadyTransaction): Refusal | undefined {
  for (const [i, { signer, key }] of transaction.signatures.entries()) {
    if (i === 0 && kind.createsSender === true) continue
    if (!isAuthorised(view, signer, key)) return refuse('tx/key-not-authorised', { signer })
  }
  return undefined
}

