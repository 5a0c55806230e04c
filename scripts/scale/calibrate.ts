// Measures what the simulation charges, with the node's own parts on this machine, in CPU time. Less than a minute.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { blockHash } from '../../consensus/block.ts'
import type { PreparedBlock } from '../../consensus/certificate.ts'
import { encodeMessage, type Message } from '../../consensus/messages.ts'
import { quorumSize } from '../../consensus/quorum.ts'
import { scheduleOf } from '../../consensus/validators.ts'
import { createAdmission } from '../../node/admission.ts'
import { createAvailability } from '../../node/availability.ts'
import { systemClock } from '../../node/clock.ts'
import { createGossip } from '../../node/gossip.ts'
import { createInbound } from '../../node/inbound.ts'
import { createLibp2pTransport } from '../../node/libp2p.ts'
import { executeStepTransactions, verifyParcelItems } from '../../node/limits.ts'
import { silentLog } from '../../node/log.ts'
import { createMempool } from '../../node/mempool.ts'
import { createPayloads, manifestOf, payloadOf } from '../../node/payloads.ts'
import { makeProposal } from '../../node/proposer.ts'
import { createVerifier } from '../../node/verifier.ts'
import { payloadEntry, recordEntry } from '../../node/vote-entries.ts'
import { openVoteLog } from '../../node/votelog.ts'
import type { Peer, Transport, Verifier } from '../../node/world.ts'
import type { Hash, Height, TimeMs, View } from '../../primitives/brand.ts'
import { toBase64url, utf8 } from '../../primitives/bytes.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { sha256 } from '../../primitives/hash.ts'
import { verifySigned } from '../../primitives/signature.ts'
import { type Executed, executeInSteps } from '../../state/execute.ts'
import type { ReadyTransaction } from '../../state/families.ts'
import { percentile, round } from '../bench/statistics.ts'
import { buildStateCity, type StateBlock, type StateCity } from '../bench/state-city.ts'
import { keyring, type SimulatedKey } from '../../test/simulator/keys.ts'
import { allThreadsUs, threadUs } from './cpu.ts'
import type { Costs } from './costs.ts'
import { chain, consensus, epochOf, genesis, measureStepUs } from './lockstep.ts'

const accounts = 10_000
const blockTransactions = consensus.transactionsMax
const rounds = 7
const settleMs = 3_000

const median = (figures: readonly number[]): number => percentile(figures.toSorted((a, b) => a - b), 0.5)

/** Believes every signature: what it costs is measured by itself. */
const believing: Verifier = { verifyNow: () => true, verifyBatch: async (items) => items.map(() => true), stop: async () => {} }

export async function calibrate(sizes: readonly number[], say: (line: string) => void): Promise<Costs> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-scale-'))
  try {
    say('signatures')
    const signatures = await measureSignatures()
    say('libp2p')
    const network = await measureNetwork()
    say('steps of replicas')
    // what is measured first would pay for the compiler
    stepsOf(7)
    const stepUs = Object.fromEntries(sizes.map((n) => [n, stepsOf(n)]))
    const votes = await measureVotes()
    say('vote log')
    const log = await measureVoteLog(path.join(folder, 'votes'))
    say(`execution and store, ${accounts} accounts`)
    const city = await buildStateCity(path.join(folder, 'store'), accounts)
    // LevelDB merges what was just written
    await new Promise((resolve) => setTimeout(resolve, settleMs))
    const execution = await measureExecution(city)
    say('admission and proposals')
    const ordering = await measureOrdering(city)
    await city.close()
    return { node: process.version, ...signatures, ...network, ...votes, stepUs, ...log, ...execution, ...ordering }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function stepsOf(validators: number): number {
  return round(measureStepUs(validators, Math.max(4, Math.min(200, Math.ceil(20_000 / validators ** 2)))), 2)
}

async function measureSignatures(): Promise<Pick<Costs, 'verifyUs' | 'workerUs' | 'parcelUs' | 'signUs'>> {
  const pair = keyPairFromSeed(new Uint8Array(32).fill(1))
  const message = new Uint8Array(200)
  const item = { algorithm: 'ed25519' as const, publicKey: pair.publicKey, message, signature: sign(message, pair) }
  const perRound = 500
  const best = (run: () => void): number =>
    Math.min(
      ...Array.from({ length: rounds + 1 }, () => {
        const startUs = threadUs()
        for (let i = 0; i < perRound; i++) run()
        return (threadUs() - startUs) / perRound
      }).slice(1),
    )
  const verifyUs = best(() => verifySigned(item))
  const signUs = best(() => sign(message, pair))
  const verifier = createVerifier({ log: silentLog, workers: 1 })
  const items = Array.from({ length: 10 * verifyParcelItems }, () => item)
  await verifier.verifyBatch(items)
  const parcels: number[] = []
  const workers: number[] = []
  for (let i = 0; i < rounds; i++) {
    const [mainUs, allUs] = [threadUs(), allThreadsUs()]
    await verifier.verifyBatch(items)
    const usedUs = threadUs() - mainUs
    parcels.push(usedUs / items.length)
    workers.push((allThreadsUs() - allUs - usedUs) / items.length)
  }
  await verifier.stop()
  return { verifyUs: round(verifyUs), workerUs: round(Math.min(...workers)), parcelUs: round(Math.min(...parcels), 2), signUs: round(signUs) }
}

/** Two nodes in this process: what one message costs both, halved. One at a time, as votes go, and large ones for the bytes. */
async function measureNetwork(): Promise<Pick<Costs, 'messageUs' | 'byteNs'>> {
  const seeds = [1, 2].map((i) => new Uint8Array(32).fill(i))
  const transports: Transport[] = []
  for (const seed of seeds) transports.push(await createLibp2pTransport({ chainId: 'scale', seed, listen: { host: '127.0.0.1', port: 0 }, clock: systemClock, log: silentLog }))
  const [a, b] = transports as [Transport, Transport]
  try {
    for (const one of transports) await one.start()
    const peers: Peer[] = transports.map((one, i) => ({ name: `v${i}`, publicKey: keyPairFromSeed(seeds[i] as Uint8Array).publicKey, addresses: [one.listening() as string] }))
    for (const one of transports) one.setPeers(peers)
    while (!transports.every((one) => one.peers()[0]?.connected === true)) await new Promise((resolve) => setTimeout(resolve, 20))
    let arrived: () => void = () => {}
    b.onMessages('consensus', () => arrived())
    const oneWay = async (bytes: number, times: number): Promise<number> => {
      const message = new Uint8Array(bytes)
      const startUs = threadUs()
      for (let i = 0; i < times; i++) {
        await new Promise<void>((resolve) => {
          arrived = resolve
          a.send('v1', 'consensus', message)
        })
      }
      return (threadUs() - startUs) / times
    }
    const best = async (bytes: number, times: number): Promise<number> => {
      const figures: number[] = []
      for (let i = 0; i <= rounds; i++) figures.push(await oneWay(bytes, times))
      return median(figures.slice(1))
    }
    const [small, large] = [117, 65_536 - 64]
    const smallUs = await best(small, 300)
    const largeUs = await best(large, 60)
    const byteNs = ((largeUs - smallUs) * 1_000) / (large - small) / 2
    return { messageUs: round(smallUs / 2), byteNs: round(byteNs, 2) }
  } finally {
    for (const one of transports) await one.stop()
  }
}

function voteOf(height: number, validator: number): Message {
  return { type: 'prepare', view: 0 as View, height: height as Height, blockHash: sha256(utf8(`block ${height}`)) as Hash, validator, signature: new Uint8Array(64) }
}

async function measureVotes(): Promise<Pick<Costs, 'encodeUs' | 'inboundUs'>> {
  const { keys } = keyring(4, false)
  const schedule = scheduleOf([epochOf(keys)], 1_000_000 as Height, consensus.window)
  let taken = 0
  const inbound = createInbound({ verifier: believing, transport: { blame: (_peer, why) => { throw new Error(why) } }, log: silentLog, context: () => ({ chain, genesis, schedule }), wants: () => true, take: () => taken++, behind: () => {} })
  const count = 2_000
  const encodes: number[] = []
  const inbounds: number[] = []
  for (let i = 0; i <= rounds; i++) {
    const votes = Array.from({ length: count }, (_, at) => voteOf(1_000 + i * count + at, 1 + (at % 3)))
    const startUs = threadUs()
    const encoded = votes.map(encodeMessage)
    encodes.push((threadUs() - startUs) / count)
    const messages = encoded.map((bytes) => ({ peer: 'v1', bytes }))
    const inboundStartUs = threadUs()
    for (let at = 0; at < count; at += 4) await inbound(messages.slice(at, at + 4))
    inbounds.push((threadUs() - inboundStartUs) / count)
  }
  if (taken !== (rounds + 1) * count) throw new Error(`${taken} votes were taken`)
  return { encodeUs: round(median(encodes.slice(1))), inboundUs: round(median(inbounds.slice(1))) }
}

async function measureVoteLog(folder: string): Promise<Pick<Costs, 'appendUs' | 'syncUs' | 'syncMs' | 'appendByteNs'>> {
  const { keys } = keyring(4, false)
  const { log } = openVoteLog({ folder, chainId: chain, publicKey: (keys[0] as SimulatedKey).publicKey, log: silentLog })
  const header = { chain, height: 1 as Height, parent: genesis.hash, timeMs: (genesis.timeMs + 1) as TimeMs, proposer: 0, payload: genesis.hash, payloadCount: 1 }
  const certificate: PreparedBlock = { header, certificate: { view: 0 as View, height: 1 as Height, blockHash: blockHash(header), signatures: Array.from({ length: quorumSize(4) }, (_, validator) => ({ validator, signature: new Uint8Array(64) })) } }
  // of the waits a low one: the others have neighbours' writes in them
  const append = async (bytes: Uint8Array | undefined, times: number): Promise<{ main: number; all: number; ms: number }> => {
    const waits: number[] = []
    const [mainUs, allUs] = [threadUs(), allThreadsUs()]
    for (let i = 0; i < times; i++) {
      const startMs = performance.now()
      await log.append([bytes ?? recordEntry({ type: 'certificate', ...certificate })])
      waits.push(performance.now() - startMs)
    }
    return { main: (threadUs() - mainUs) / times, all: (allThreadsUs() - allUs) / times, ms: percentile(waits.toSorted((a, b) => a - b), 0.1) }
  }
  await append(undefined, 50)
  const small = await append(undefined, 300)
  const bytes = 350_000
  const large = await append(new Uint8Array(bytes), 30)
  await log.close()
  return { appendUs: round(small.main), syncUs: round(small.all - small.main), syncMs: round(small.ms, 3), appendByteNs: round(Math.max(0, ((large.main - small.main) * 1_000) / bytes), 3) }
}

type Execution = Pick<Costs, 'executeUs' | 'executeBlockUs' | 'storeUs' | 'storeBlockUs' | 'batchUs' | 'batchBlockUs' | 'helpersUs' | 'helpersBlockUs'>

async function measureExecution(city: StateCity): Promise<Execution> {
  const { store, state } = city
  let next = 0
  const draw = (): number => (next = (next + 7_919) % accounts)
  const costOf = async (transactions: number, times: number): Promise<{ execute: number; store: number; batch: number; helpers: number }> => {
    const figures: [number[], number[], number[], number[]] = [[], [], [], []]
    for (let i = 0; i < 2 * times; i++) {
      const { executable, final } = city.spends(transactions, draw)
      const [mainUs, allUs] = [threadUs(), allThreadsUs()]
      const executed = toTheEnd(executeInSteps(state, executable, executeStepTransactions))
      const [executedUs, allExecutedUs] = [threadUs(), allThreadsUs()]
      await store.putBlock(final, executed)
      const [storedUs, allStoredUs] = [threadUs(), allThreadsUs()]
      if (executed.receipts.some(({ status }) => status !== 'ok')) throw new Error('a spend was refused')
      if (i < times) continue
      figures[0].push(executedUs - mainUs)
      figures[1].push(storedUs - executedUs)
      figures[2].push(allStoredUs - allExecutedUs - (storedUs - executedUs))
      figures[3].push(allStoredUs - allUs - (storedUs - mainUs))
    }
    // of other threads the mean: the kernel adds up their time now and then only
    const mean = (of: readonly number[]): number => Math.max(0, of.reduce((sum, one) => sum + one, 0) / times)
    const batch = mean(figures[2])
    return { execute: median(figures[0]), store: median(figures[1]), batch, helpers: Math.max(0, mean(figures[3]) - batch) }
  }
  const large = await costOf(blockTransactions, 20)
  const one = await costOf(1, 200)
  const perTx = (of: keyof typeof large): number => round(Math.max(0, large[of] - one[of]) / (blockTransactions - 1))
  return {
    executeUs: perTx('execute'),
    executeBlockUs: round(one.execute),
    storeUs: perTx('store'),
    storeBlockUs: round(one.store),
    batchUs: perTx('batch'),
    batchBlockUs: round(one.batch),
    helpersUs: perTx('helpers'),
    helpersBlockUs: round(one.helpers),
  }
}

function toTheEnd(run: Generator<void, Executed, void>): Executed {
  for (;;) {
    const step = run.next()
    if (step.done === true) return step.value
  }
}

type Ordering = Pick<Costs, 'transactionBytes' | 'admitUs' | 'proposeUs' | 'judgeUs' | 'removeUs'>

/** With the pipeline full: three open blocks are left out by the one that is proposed. */
async function measureOrdering(city: StateCity): Promise<Ordering> {
  let citizen = 0
  const blockOf = (): StateBlock => city.spends(blockTransactions, () => citizen++ % accounts)
  const chainId = blockOf().executable.chain
  const [admits, proposes, judges, removes]: [number[], number[], number[], number[]] = [[], [], [], []]
  let transactionBytes = 0
  for (let i = 0; i <= rounds; i++) {
    const mempool = createMempool()
    const nowMs = blockOf().executable.timeMs
    const clock = { ...systemClock, now: () => nowMs }
    const admission = createAdmission({ chainId, mempool, verifier: believing, clock, hasRun: () => false, validityMsMax: () => 3_600_000, onAdded: () => {} })
    const messages: Uint8Array[] = []
    const gossip = createGossip({
      transport: { send: (_peer, _channel, message) => messages.push(message) > 0, blame: (_peer, why) => { throw new Error(why) } },
      admission,
      clock,
      log: silentLog,
      validators: () => ['other'],
      everybody: () => [],
      takeBody: async () => {},
      takeHead: () => {},
    })
    const open = Array.from({ length: consensus.pipelineDepth }, () => blockOf().executable.transactions)
    for (const { transaction } of open.flat()) gossip.spread(transaction.bytes)
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))
    const admitStartUs = threadUs()
    for (const message of messages) await gossip.handler([{ peer: 'other', bytes: message }])
    admits.push((threadUs() - admitStartUs) / (open.length * blockTransactions))

    const payloads = createPayloads()
    let parent = city.store.head()
    const propose = (): ReturnType<typeof payloadOf> => {
      const request = { view: 0 as View, height: (parent.height + 1) as Height, parent: parent.hash, parentTimeMs: parent.timeMs }
      const made = makeProposal(request, mempool, { payloads, executedHead: city.store.head().hash, hasRun: () => false }, { transactionsMax: blockTransactions, bytesMax: consensus.bytesMax }, nowMs)
      if (made === undefined) throw new Error('nothing to propose')
      const { proposal, references, transactions } = made
      const payload = payloadOf({ chain: chainId, height: request.height, parent: parent.hash, timeMs: proposal.timeMs, proposer: 0, payload: proposal.payload, payloadCount: proposal.payloadCount }, references, transactions)
      payloads.put(payload, true)
      payloadEntry(payload)
      return payload
    }
    let proposeUs = 0
    let last: ReturnType<typeof payloadOf> | undefined
    for (let depth = 0; depth < consensus.pipelineDepth; depth++) {
      const startUs = threadUs()
      last = propose()
      proposeUs = (threadUs() - startUs) / blockTransactions
      const { height, timeMs } = last.header
      parent = { ...parent, height, timeMs, hash: blockHash(last.header) }
    }
    proposes.push(proposeUs)
    const proposed = last as ReturnType<typeof payloadOf>
    transactionBytes = Math.round(proposed.bytes / blockTransactions)

    const availability = createAvailability({ chainId, mempool, admission: { isChecking: () => false }, gossipSettled: async () => {}, transport: { request: async () => Promise.reject(new Error('all of it is here')) }, verifier: believing, clock, log: silentLog, blockBytesMax: consensus.bytesMax, own: () => undefined })
    const manifest = manifestOf(proposed.references)
    const judgeStartUs = threadUs()
    const payload = await availability.obtain({ header: proposed.header, manifest: () => manifest, holders: () => [], isWanted: () => true, final: false })
    payloadEntry(payload as NonNullable<typeof payload>)
    judges.push((threadUs() - judgeStartUs) / blockTransactions)

    const ids = open.flat().map(({ transaction }: ReadyTransaction) => toBase64url(transaction.id))
    const removeStartUs = threadUs()
    mempool.latestArrivalMs(ids, 0)
    mempool.remove(ids)
    removes.push((threadUs() - removeStartUs) / ids.length)
  }
  const of = (figures: readonly number[]): number => round(median(figures.slice(1)))
  return { transactionBytes, admitUs: of(admits), proposeUs: of(proposes), judgeUs: of(judges), removeUs: of(removes) }
}
