// Validators in lock step: real replicas that hand each other every message in the order in which it was said, with no network, clock or disk. What they say, sign and would
// check is counted, and what a step costs is measured.
import { blockHash, type BlockRef } from '../../consensus/block.ts'
import type { Input } from '../../consensus/input.ts'
import { encodeMessage, type Message } from '../../consensus/messages.ts'
import { createReplica, type Replica } from '../../consensus/replica.ts'
import type { Epoch } from '../../consensus/validators.ts'
import { asVerified, checksOf } from '../../consensus/verification.ts'
import { busan } from '../../genesis/presets/busan.ts'
import { isWanted } from '../../node/ordering.ts'
import type { Hash, Height, TimeMs } from '../../primitives/brand.ts'
import { utf8 } from '../../primitives/bytes.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { keyring, type SimulatedKey } from '../../test/simulator/keys.ts'
import { threadUs } from './cpu.ts'

/** As long as a real one, which ends in 16 digits of the genesis hash. */
export const chain = 'busan-0123456789abcdef'
export const genesis: BlockRef = { height: 0 as Height, hash: taggedHash('scale', utf8('genesis')), timeMs: 1_780_000_000_000 as TimeMs }
export const { consensus } = busan

export function epochOf(keys: readonly SimulatedKey[]): Epoch {
  const organisations = busan.organisations.map(({ id }) => id)
  const validators = keys.map(({ publicKey }, i) => ({ name: `v${i}`, organisation: organisations[i % organisations.length] as string, publicKey }))
  return { activation: 1 as Height, set: { validators, minimums: busan.minimums } }
}

export interface Counted {
  /** Sent by all validators, by kind. */
  readonly messages: Readonly<Record<string, number>>
  readonly bytes: number
  /** Signatures of votes. */
  readonly made: number
  readonly checked: number
}

export interface LockstepOptions {
  readonly validators: number
  readonly blocks: number
  /** Of each block. */
  readonly manifest: Uint8Array
}

interface Watch {
  readonly sent?: (message: Message) => void
  /** Before the step: what the node does with it. */
  readonly arrives?: (message: Message, at: Replica) => void
  readonly signed?: () => void
}

function run({ validators, blocks, manifest }: LockstepOptions, { sent, arrives, signed }: Watch): { readonly messages: number } {
  const { keys } = keyring(validators, false)
  const epoch = epochOf(keys)
  const timing = { viewTimeoutMs: consensus.viewTimeoutMs, viewTimeoutMaxMs: consensus.viewTimeoutMaxMs, retransmitMs: consensus.retransmitMs, heartbeatMs: consensus.heartbeatMs, checkpointIdleMs: consensus.checkpointIdleMs }
  const replicas = keys.map(({ publicKey, sign }) =>
    createReplica(
      {
        chain,
        genesis,
        parameters: { window: consensus.window, checkpointInterval: consensus.checkpointInterval },
        timing,
        pipelineDepth: consensus.pipelineDepth,
        publicKey,
        sign: (bytes) => {
          signed?.()
          return sign(bytes)
        },
        bindsManifest: () => true,
      },
      epoch,
    ),
  )
  const payload = taggedHash('scale', manifest)
  const queue: { readonly to: number; readonly message: Message }[] = []
  let left = blocks

  const give = (self: number, input: Input): void => {
    const output = (replicas[self] as Replica).step(input)
    for (const { to, message } of output.send) {
      if (to !== 'all') throw new Error(`a ${message.type} to one validator, where nothing is lost`)
      for (let other = 0; other < validators; other++) {
        if (other === self) continue
        sent?.(message)
        queue.push({ to: other, message })
      }
    }
    for (const one of output.validate) give(self, { type: 'payload', blockHash: one.blockHash, verdict: 'valid' })
    for (const { header } of output.deliver) give(self, { type: 'executed', height: header.height, blockHash: blockHash(header), stateRoot: rootOf(header.height) })
    if (output.propose === undefined) return
    const { view, height, parent, parentTimeMs } = output.propose
    if (left-- > 0) give(self, { type: 'proposal', view, height, parent, timeMs: (parentTimeMs + 1) as TimeMs, payload, payloadCount: Math.max(1, manifest.length / 32), manifest })
    else give(self, { type: 'noProposal', view, height })
  }

  replicas.forEach((_, self) => give(self, { type: 'start' }))
  replicas.forEach((_, self) => give(self, { type: 'work', pending: true }))
  let done = 0
  for (; done < queue.length; done++) {
    const { to, message } = queue[done] as (typeof queue)[number]
    arrives?.(message, replicas[to] as Replica)
    give(to, { type: 'message', message: asVerified(message) })
  }
  for (const replica of replicas) if (replica.status().committed !== blocks) throw new Error(`${replica.status().committed} of ${blocks} blocks are final`)
  return { messages: done }
}

function rootOf(height: Height): Hash {
  return taggedHash('scale', utf8(`root ${height}`))
}

/** What the validators say in this many blocks, and the signatures that it takes. Those of votes that come too late to matter are not checked, as in a node. */
export function countMessages(options: LockstepOptions): Counted {
  const messages: Record<string, number> = {}
  let bytes = 0
  let made = 0
  let checked = 0
  const sizes = new WeakMap<Message, number>()
  const sizeOf = (message: Message): number => {
    const known = sizes.get(message) ?? encodeMessage(message).length
    sizes.set(message, known)
    return known
  }
  run(options, {
    sent: (message) => {
      // where each replica stands, once, when it starts
      if (message.type === 'status') return
      messages[message.type] = (messages[message.type] ?? 0) + 1
      bytes += sizeOf(message)
    },
    arrives: (message, at) => {
      if (message.type === 'status' || !isWanted(message, at.status())) return
      const listed = checksOf(message, { chain, genesis, schedule: at.schedule() })
      if (!listed.ok) throw new Error(listed.reason)
      checked += listed.checks.length
    },
    signed: () => made++,
  })
  // the Status of each at its start is signed too
  return { messages, bytes, made: made - options.validators, checked }
}

/** CPU time of a step, with the look at where the replica stands that comes before it. */
export function measureStepUs(validators: number, blocks: number): number {
  const timed = (): number => {
    const startUs = threadUs()
    const { messages } = run({ validators, blocks, manifest: new Uint8Array(32) }, { arrives: (message, at) => void isWanted(message, at.status()) })
    return (threadUs() - startUs) / messages
  }
  timed()
  return timed()
}
