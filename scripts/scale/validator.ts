// A simulated validator: the real replica, and around it what a node does, as far as it takes time: the driver's rounds (node/driver.ts), admission and gossip, proposals and their
// judging, execution and store. Each is charged to the thread that a node does it on. Transactions are numbers, and signatures hold.
import { blockHash, type BlockHeader } from '../../consensus/block.ts'
import type { Decision } from '../../consensus/certificate.ts'
import type { Input, TimerName } from '../../consensus/input.ts'
import { encodeMessage, type Message } from '../../consensus/messages.ts'
import { needsDisk, type Output, type Propose, type Sync, type Validate } from '../../consensus/output.ts'
import { encodeRecord } from '../../consensus/record.ts'
import type { ReplicaStatus } from '../../consensus/report.ts'
import { createReplica, type Replica } from '../../consensus/replica.ts'
import type { Epoch } from '../../consensus/validators.ts'
import { asVerified, checksOf } from '../../consensus/verification.ts'
import { executeStepTransactions, gossipTransactionsMax, unwrittenMax } from '../../node/limits.ts'
import { isWanted } from '../../node/ordering.ts'
import { createPacing, type Pacing } from '../../node/pacing.ts'
import type { Height, TimeMs } from '../../primitives/brand.ts'
import { equalBytes, toHex } from '../../primitives/bytes.ts'
import { hashBytes } from '../../primitives/hash.ts'
import type { SimulatedKey } from '../../test/simulator/keys.ts'
import { payloadHash } from '../../test/simulator/payload.ts'
import { nextRoot } from '../../test/simulator/node.ts'
import { rpcUs } from './costs.ts'
import { chain, consensus, genesis } from './lockstep.ts'
import { Line, type Machine, Thread, Verifying, VoteDisk } from './machine.ts'
import type { ScaleNetwork } from './network.ts'

const unknown = 0
const checking = 1
const waiting = 2
const ran = 3

/** A stand-in of four bytes names the transactions of a block; what the real manifest has more is charged on the line. */
function manifestExtra(message: Message): number {
  return message.type === 'pre-prepare' ? message.header.payloadCount * hashBytes - message.manifest.length : 0
}

const sizes = new WeakMap<Message, number>()

function bytesOf(message: Message): number {
  const known = sizes.get(message) ?? encodeMessage(message).length + manifestExtra(message)
  sizes.set(message, known)
  return known
}

interface OpenBlock {
  readonly header: BlockHeader
  readonly transactions: readonly number[]
}

export class ScaleValidator {
  readonly network: ScaleNetwork
  readonly index: number
  readonly main: Thread
  /** The thread of LevelDB's batches, and all that nobody waits for. */
  readonly batches: Thread
  readonly helpers: Thread
  readonly verifying: Verifying
  readonly disk: VoteDisk
  readonly line: Line
  readonly replica: Replica
  /** Blocks whose payload is here and in the vote log, by block hash. */
  readonly #open = new Map<string, OpenBlock>()
  readonly #judging = new Set<string>()
  readonly #timers = new Map<TimerName, () => void>()
  readonly #mempool = new Set<number>()
  readonly #state: Uint8Array
  readonly #stepUs: number
  #status: ReplicaStatus | undefined
  #signed = 0
  #inputs: Input[] = []
  #running = false
  #unwrittenBytes = 0
  #unwrittenEntries = 0
  #gossip: number[] = []
  #toExecute: Decision[] = []
  #executing = false
  #last: Parameters<typeof nextRoot>[0]
  #executedHeight = 0
  #toldWork = false
  #refused = false
  #openTransactions = 0
  readonly #pacing: Pacing
  fetched = 0
  synced = 0

  constructor(network: ScaleNetwork, index: number, machine: Machine, key: SimulatedKey, epoch: Epoch) {
    const { kernel, costs } = network
    this.network = network
    this.index = index
    this.main = new Thread(machine)
    this.batches = new Thread(machine)
    this.helpers = new Thread(machine)
    this.verifying = new Verifying(machine, this.main, costs)
    this.disk = new VoteDisk(kernel, costs, this.helpers)
    this.line = new Line(kernel, network.bitsPerSecond)
    this.#state = new Uint8Array(network.transactionsMax)
    this.#stepUs = network.stepUs
    const { viewTimeoutMs, viewTimeoutMaxMs, retransmitMs, heartbeatMs, checkpointIdleMs, window, checkpointInterval, pipelineDepth } = consensus
    this.replica = createReplica(
      {
        chain,
        genesis,
        parameters: { window, checkpointInterval },
        timing: { viewTimeoutMs, viewTimeoutMaxMs, retransmitMs, heartbeatMs, checkpointIdleMs },
        pipelineDepth,
        publicKey: key.publicKey,
        sign: (bytes) => {
          this.#signed++
          return key.sign(bytes)
        },
        bindsManifest: (header, manifest) => equalBytes(payloadHash(manifest), header.payload),
      },
      epoch,
    )
    this.#pacing = createPacing({
      clock: { monotonic: () => kernel.nowMs, after: (ms, fire) => this.#after(ms, fire) },
      committed: () => this.#stand().committed,
      view: () => this.#stand().view,
      waiting: () => this.#mempool.size - this.#openTransactions,
      enough: Math.ceil(network.transactionsInBlockMax / 4),
      viewTimeoutMs,
      make: (request) => this.#propose(request),
    })
  }

  // ---- the driver

  /** The same between two steps. */
  #stand(): ReplicaStatus {
    return (this.#status ??= this.replica.status())
  }

  give(input: Input): void {
    this.#inputs.push(input)
    if (this.#running) return
    this.#running = true
    this.#round()
  }

  /** As node/driver.ts: what need not wait for the disk goes out, records and payloads go there with one sync, and then the rest goes out. */
  #round(): void {
    const { costs } = this.network
    let outputs: readonly Output[] = []
    let writes: number | undefined
    let free = 0
    this.main.run(
      () => {
        const batch = this.#inputs
        this.#inputs = []
        const before = this.#signed
        outputs = batch.map((input) => this.replica.step(input))
        this.#status = undefined
        const fresh = outputs.flatMap(({ persist }) => persist)
        for (const record of fresh) this.#unwrittenBytes += encodeRecord(record).length
        this.#unwrittenEntries += fresh.length
        const bound = outputs.findIndex(needsDisk)
        free = bound < 0 ? outputs.length : bound
        writes = undefined
        if (bound >= 0 || this.#unwrittenEntries >= unwrittenMax) {
          writes = this.#unwrittenBytes
          this.#unwrittenBytes = 0
          this.#unwrittenEntries = 0
        }
        return batch.length * this.#stepUs + (this.#signed - before) * costs.signUs + (writes === undefined ? 0 : costs.appendUs + (writes * costs.appendByteNs) / 1_000)
      },
      () => {
        if (writes === undefined) {
          this.#act(outputs, () => this.#next())
          return
        }
        const bytes = writes
        this.#act(outputs.slice(0, free), () => this.disk.append(bytes, () => this.#act(outputs.slice(free), () => this.#next())))
      },
    )
  }

  #next(): void {
    if (this.#inputs.length > 0) this.#round()
    else this.#running = false
  }

  #act(outputs: readonly Output[], then: () => void): void {
    const { costs, validators } = this.network
    const says = outputs.flatMap(({ send }) => send)
    const peers = validators.length - 1
    const us = says.reduce((sum, { to, message }) => sum + costs.encodeUs + (to === 'all' ? peers : 1) * (costs.messageUs + (bytesOf(message) * costs.byteNs) / 1_000), 0)
    this.main.run(us, () => {
      for (const output of outputs) {
        for (const { name, afterMs } of output.timers) this.#setTimer(name, afterMs)
        for (const { to, message } of output.send) {
          for (const other of validators) if (other !== this && (to === 'all' || equalBytes(to.publicKey, this.network.keyOf(other)))) this.#send(other, message)
        }
        for (const decision of output.deliver) {
          this.network.decided(decision)
          this.#toExecute.push(decision)
          this.#pacing.look()
        }
        for (const one of output.validate) this.#judge(one)
        if (output.propose !== undefined) this.#pacing.ask(output.propose)
        if (output.sync !== undefined) this.#sync(output.sync)
        this.network.noteViews(output)
      }
      this.#executeNext()
      then()
    })
  }

  #send(to: ScaleValidator, message: Message): void {
    this.line.send(bytesOf(message), this.network.linkMs, to.line, () => to.#receive(message))
  }

  #setTimer(name: TimerName, afterMs: number | undefined): void {
    this.#timers.get(name)?.()
    this.#timers.delete(name)
    if (afterMs !== undefined) this.#timers.set(name, this.#after(afterMs, () => this.give({ type: 'timer', name })))
  }

  /** It fires when the thread gets round to it, as a timer of the event loop does. */
  #after(ms: number, fire: () => void): () => void {
    let cancelled = false
    this.network.kernel.after(ms, () => cancelled || this.main.run(0, () => void (cancelled || fire())))
    return () => {
      cancelled = true
    }
  }

  #receive(message: Message): void {
    const { costs } = this.network
    let wanted = false
    this.main.run(
      () => {
        wanted = isWanted(message, this.#stand())
        return costs.messageUs + (bytesOf(message) * costs.byteNs) / 1_000 + costs.inboundUs + (wanted ? this.#signaturesOf(message) * costs.verifyUs : 0)
      },
      () => void (wanted && this.give({ type: 'message', message: asVerified(message) })),
    )
  }

  #signaturesOf(message: Message): number {
    if (message.type !== 'view-change' && message.type !== 'new-view' && message.type !== 'certified') return 1
    const listed = checksOf(message, { chain, genesis, schedule: this.replica.schedule() })
    return listed.ok ? listed.checks.length : 0
  }

  /** Fetches final blocks that a peer has, in one question. */
  #sync({ from, to, peers }: Sync): void {
    const { costs, kernel, linkMs, validators } = this.network
    const source = validators.find((one) => peers.some(({ validator }) => equalBytes(validator.publicKey, this.network.keyOf(one))))
    if (source === undefined) return
    this.main.run(costs.messageUs, () =>
      this.line.send(64, linkMs, source.line, () => {
        const decisions = this.network.decisionsBetween(from, to)
        const bytes = decisions.reduce((sum, { header, certificate }) => sum + header.payloadCount * (costs.transactionBytes + hashBytes) + certificate.signatures.length * 70 + 200, 0)
        source.main.run(costs.messageUs + (bytes * costs.byteNs) / 1_000, () =>
          source.line.send(bytes, linkMs, this.line, () => {
            const signatures = decisions.reduce((sum, { certificate }) => sum + certificate.signatures.length, 0)
            this.main.run(costs.messageUs + (bytes * costs.byteNs) / 1_000, () =>
              this.verifying.check(signatures, () => {
                for (const decision of decisions) {
                  this.synced++
                  this.#keep(decision.header, this.network.transactionsOf(decision.header))
                  this.give({ type: 'synced', decision: asVerified(decision) })
                }
                kernel.after(0, () => this.#executeNext())
              }),
            )
          }),
        )
      }),
    )
  }

  // ---- transactions

  /** A client hands them in, in one call. */
  submit(transactions: readonly number[]): void {
    this.#admit(transactions, (transactions.length * rpcUs) | 0, true)
  }

  #admit(transactions: readonly number[], besideUs: number, spreads: boolean): void {
    const { costs } = this.network
    let fresh: readonly number[] = []
    this.main.run(
      () => {
        fresh = transactions.filter((one) => this.#state[one] === unknown)
        for (const one of fresh) this.#state[one] = checking
        return besideUs + fresh.length * costs.admitUs
      },
      () => {
        if (fresh.length > 0) this.verifying.check(fresh.length, () => this.#add(fresh, spreads))
      },
    )
  }

  #add(transactions: readonly number[], spreads: boolean): void {
    for (const one of transactions) {
      // a block may have brought it meanwhile
      if (this.#state[one] !== checking) continue
      this.#state[one] = waiting
      this.#mempool.add(one)
    }
    this.#tellWork()
    if (spreads) this.#spread(transactions)
  }

  #tellWork(): void {
    const pending = this.#mempool.size > 0
    if (pending !== this.#toldWork || (pending && this.#refused)) this.give({ type: 'work', pending })
    this.#toldWork = pending
    this.#refused = false
    this.#pacing.look()
  }

  #spread(transactions: readonly number[]): void {
    this.#gossip.push(...transactions)
    if (this.#gossip.length > transactions.length) return
    const { costs, validators, linkMs } = this.network
    let messages: (readonly number[])[] = []
    const bytesIn = (count: number): number => count * (costs.transactionBytes + 3) + 20
    this.main.run(
      () => {
        messages = Array.from({ length: Math.ceil(this.#gossip.length / gossipTransactionsMax) }, (_, i) => this.#gossip.slice(i * gossipTransactionsMax, (i + 1) * gossipTransactionsMax))
        this.#gossip = []
        return messages.reduce((sum, { length }) => sum + (validators.length - 1) * (costs.messageUs + (bytesIn(length) * costs.byteNs) / 1_000), 0)
      },
      () => {
        for (const other of validators) {
          if (other === this) continue
          for (const message of messages) this.line.send(bytesIn(message.length), linkMs, other.line, () => other.#admit(message, costs.messageUs + (bytesIn(message.length) * costs.byteNs) / 1_000, false))
        }
      },
    )
  }

  // ---- payloads

  #propose({ view, height, parent, parentTimeMs }: Propose): void {
    const { costs, kernel, transactionsInBlockMax } = this.network
    let chosen: readonly number[] = []
    this.main.run(
      () => {
        const ordered = this.#orderedBelow(parent)
        const taken: number[] = []
        for (const one of this.#mempool) {
          if (taken.length >= transactionsInBlockMax) break
          if (!ordered.some((set) => set.has(one))) taken.push(one)
        }
        chosen = taken
        return taken.length * costs.proposeUs
      },
      () => {
        if (chosen.length === 0) {
          this.#refused = true
          this.give({ type: 'noProposal', view, height })
          return
        }
        const manifest = this.network.manifestFor(chosen)
        const timeMs = Math.max(genesis.timeMs + Math.floor(kernel.nowMs), parentTimeMs + 1) as TimeMs
        const header: BlockHeader = { chain, height, parent, timeMs, proposer: this.index, payload: payloadHash(manifest), payloadCount: chosen.length }
        this.#keep(header, chosen)
        this.give({ type: 'proposal', view, height, parent, timeMs, payload: header.payload, payloadCount: chosen.length, manifest })
      },
    )
  }

  /** What blocks between the executed one and this parent order. */
  #orderedBelow(parent: Uint8Array): readonly ReadonlySet<number>[] {
    const sets: ReadonlySet<number>[] = []
    for (let block = this.#open.get(toHex(parent)); block !== undefined && block.header.height > this.#executedHeight; block = this.#open.get(toHex(block.header.parent))) sets.push(this.network.setOf(block.header))
    return sets
  }

  /** Goes into the vote log with what is said next. */
  #keep(header: BlockHeader, transactions: readonly number[]): void {
    const key = toHex(blockHash(header))
    if (this.#open.has(key)) return
    this.#open.set(key, { header, transactions })
    this.#openTransactions += transactions.length
    this.#unwrittenBytes += transactions.length * (this.network.costs.transactionBytes + hashBytes + 6)
    this.#unwrittenEntries++
  }

  #judge({ header, blockHash: hash, holders }: Validate): void {
    const key = toHex(hash)
    if (this.#judging.has(key)) return
    this.#judging.add(key)
    const { costs, validators, linkMs } = this.network
    const transactions = this.network.transactionsOf(header)
    const finish = (): void => {
      this.#judging.delete(key)
      this.#keep(header, transactions)
      this.give({ type: 'payload', blockHash: hash, verdict: 'valid' })
      this.#executeNext()
    }
    this.main.run(transactions.length * costs.judgeUs, () => {
      const missing = transactions.filter((one) => this.#state[one] === unknown || this.#state[one] === checking)
      const holder = validators.find((one) => holders.some((each) => equalBytes(each.publicKey, this.network.keyOf(one))))
      if (missing.length === 0 || this.#open.has(key) || holder === undefined) {
        finish()
        return
      }
      this.fetched += missing.length
      const question = missing.length * hashBytes + 16
      const answer = missing.length * costs.transactionBytes
      // a stream of its own: opened, asked, answered, closed
      const requestUs = (size: number): number => 2 * costs.messageUs + (size * costs.byteNs) / 1_000
      this.main.run(requestUs(question), () =>
        this.line.send(question, linkMs, holder.line, () =>
          holder.main.run(requestUs(question) + requestUs(answer), () =>
            holder.line.send(answer, linkMs, this.line, () =>
              this.main.run(requestUs(answer) + missing.length * costs.admitUs, () => this.verifying.check(missing.length, finish)),
            ),
          ),
        ),
      )
    })
  }

  // ---- execution

  #executeNext(): void {
    const decision = this.#toExecute[0]
    if (decision === undefined || this.#executing) return
    const block = this.#open.get(toHex(blockHash(decision.header)))
    if (block === undefined) return
    this.#executing = true
    const { costs } = this.network
    const { length } = block.transactions
    const steps = Math.ceil(length / executeStepTransactions)
    const step = (done: number): void => {
      if (done < steps) this.main.run(Math.min(executeStepTransactions, length - done * executeStepTransactions) * costs.executeUs, () => step(done + 1))
      else
        this.main.run(costs.executeBlockUs + costs.storeBlockUs + length * costs.storeUs, () => {
          this.helpers.run(costs.helpersBlockUs + length * costs.helpersUs, () => {})
          this.batches.run(costs.batchBlockUs + length * costs.batchUs, () => this.main.run(length * costs.removeUs, () => this.#executed(decision, block)))
        })
    }
    step(0)
  }

  #executed(decision: Decision, { header, transactions }: OpenBlock): void {
    this.#toExecute.shift()
    this.#executing = false
    this.#executedHeight = header.height
    const stateRoot = nextRoot(this.#last, decision)
    this.#last = { height: header.height, blockHash: blockHash(header), stateRoot }
    for (const one of transactions) {
      this.#mempool.delete(one)
      this.#state[one] = ran
    }
    this.#open.delete(toHex(blockHash(header)))
    this.#openTransactions -= transactions.length
    this.give({ type: 'executed', height: header.height as Height, blockHash: blockHash(header), stateRoot })
    this.#tellWork()
    this.network.executed(this, header, transactions)
    this.#executeNext()
  }
}
