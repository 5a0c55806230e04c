// npm run bench:proofs: what verifying a proof costs a phone. See --help and docs/performance.md.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { checkpointCertificate } from '../consensus/certificate.ts'
import { type Epoch, epoch as epochSchema, epochHash } from '../consensus/validators.ts'
import { checkpointBytes } from '../consensus/votes.ts'
import type { Hash, Height } from '../primitives/brand.ts'
import { type KeyPair, sign } from '../primitives/ed25519.ts'
import { bytes, type Json, type JsonObject } from '../primitives/schema.ts'
import { accountTable } from '../state/points/keys.ts'
import { stateKey, table } from '../state/table.ts'
import { citizens, createCity, liveADay, program, serve } from '../test/rpc/scenario.ts'
import { percentile, round } from './bench/statistics.ts'

const help = `npm run bench:proofs -- [flags]

What it costs to verify a proof with the client, as a browser or a phone runs it: one minified bundle of portable JavaScript. From the answer's text, through each change of the
validators since the genesis, to the value. Cold is the first time in a new process, warm the median after it. "without JIT" is node --jitless, which interprets: it stands for the
engines of phones that do so, such as Hermes; what a phone's processor makes of it is another matter.

  --rows N      rows of the state besides the city's; default 100000
  --changes L   changes of the validators, with commas; default 0,1,10
  --rounds N    verifications after the first; default 20
  --json FILE   the result as JSON`

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' }, rows: { type: 'string', default: '100000' }, changes: { type: 'string', default: '0,1,10' }, rounds: { type: 'string', default: '20' }, json: { type: 'string' } } })
const [rows, rounds] = [Number(values.rows), Number(values.rounds)]
const changes = values.changes.split(',').map(Number)
const isCount = (value: number, least: number, most: number): boolean => Number.isSafeInteger(value) && value >= least && value <= most
const wrong = !isCount(rows, 0, 5_000_000) || !isCount(rounds, 1, 10_000) || changes.some((count) => !isCount(count, 0, 1_000))
if (values.help === true || wrong) {
  console.log(help)
  process.exit(wrong ? 2 : 0)
}

interface Proof {
  readonly kind: 'balance' | 'absence' | 'transaction' | 'event'
  readonly asked: Json
  readonly answer: Json
}

interface Result {
  readonly engine: string
  readonly kind: Proof['kind']
  readonly changes: number
  readonly loadMs: number
  readonly coldMs: number
  readonly warmMs: number
}

const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-bench-proofs-'))
try {
  const client = path.join(folder, 'client.mjs')
  const { outputFiles } = await build({ entryPoints: [path.join(import.meta.dirname, '../rpc/client/index.ts')], bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022', write: false })
  const text = (outputFiles[0] as (typeof outputFiles)[number]).text
  writeFileSync(client, text)
  console.log(`client: ${gzipSync(text, { level: 9 }).length} bytes gzipped; state: ${rows} rows and a city; certificates: 3 of 4 signatures`)
  console.log(['engine', 'proof of', 'changes', 'load ms', 'cold ms', 'warm ms'].map((title, i) => (i < 2 ? title.padEnd(14) : title.padStart(10))).join(''))
  const { proofs, chain, pairs, first } = await makeProofs()
  const results: Result[] = []
  for (const [engine, flags] of [['without JIT', ['--jitless']], ['with JIT', []]] as const) {
    for (const proof of proofs) {
      for (const count of changes) {
        const result = { engine, kind: proof.kind, changes: count, ...measure(client, flags, { ...proof, answer: JSON.stringify(proof.answer), chain, ...setChanges(chain, pairs, first, count) }) }
        results.push(result)
        console.log(engine.padEnd(14) + proof.kind.padEnd(14) + [count, result.loadMs, result.coldMs, result.warmMs].map((value) => String(value).padStart(10)).join(''))
      }
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`)
} finally {
  rmSync(folder, { recursive: true })
}

function measure(client: string, flags: readonly string[], material: JsonObject): Pick<Result, 'loadMs' | 'coldMs' | 'warmMs'> {
  const file = path.join(folder, 'material.json')
  writeFileSync(file, JSON.stringify(material))
  const printed = execFileSync(process.execPath, [...flags, path.join(import.meta.dirname, 'bench/phone.mjs'), client, file, String(rounds)], { encoding: 'utf8' })
  const { loaded, cold, warm } = JSON.parse(printed) as { readonly loaded: number; readonly cold: number; readonly warm: readonly number[] }
  return { loadMs: round(loaded), coldMs: round(cold), warmMs: round(percentile([...warm].sort((a, b) => a - b), 0.5)) }
}

/** Answers of a node about a city with so many other rows in its state. */
async function makeProofs(): Promise<{ readonly proofs: readonly Proof[]; readonly chain: string; readonly pairs: readonly KeyPair[]; readonly first: Epoch }> {
  const others = table('bench.row', bytes(0, 64))
  const city = createCity(undefined, (view) => {
    for (let i = 0; i < rows; i++) view.put(others, [i], new Uint8Array(64))
  })
  await liveADay(city)
  const { server, client } = await serve(city)
  try {
    const key = stateKey(accountTable, [program, citizens[3]!.did])
    const { items } = await client.call('events_since', { cursor: '', limit: 1_000 })
    const event = items.at(-1) as JsonObject & { readonly height: number; readonly index: number }
    const { id } = (await client.call('tx_getByDid', { did: citizens[3]!.did, limit: 1 })).items[0]!
    const proofs: readonly Proof[] = [
      { kind: 'balance', asked: key, answer: await client.callUntyped('state_proof', { keys: [key] }) },
      { kind: 'absence', asked: 'nothing/here', answer: await client.callUntyped('state_proof', { keys: ['nothing/here'] }) },
      { kind: 'transaction', asked: id, answer: await client.callUntyped('tx_proof', { id }) },
      { kind: 'event', asked: event, answer: await client.callUntyped('events_proof', { height: event.height, index: event.index }) },
    ]
    return { proofs, chain: city.chain.chainId, pairs: city.chain.pairs, first: { activation: 1 as Height, set: city.chain.validators } }
  } finally {
    await server.stop()
  }
}

/** So many changes of the set since the genesis, each named by a checkpoint that the set before has signed. All are of the same keys, which does not matter for the cost. */
function setChanges(chain: string, pairs: readonly KeyPair[], present: Epoch, count: number): { readonly epochs: readonly Json[]; readonly checkpoints: readonly Json[] } {
  const epochs = Array.from({ length: count + 1 }, (_, i): Epoch => ({ activation: (i + 1) as Height, set: present.set }))
  const checkpoints = epochs.slice(1).map((next, i) => {
    const content = { height: (i + 1) as Height, blockHash: new Uint8Array(32) as Hash, stateRoot: new Uint8Array(32) as Hash, nextSet: epochHash(next) }
    const signed = checkpointBytes(chain, content)
    return checkpointCertificate.toJson({ content, signatures: pairs.slice(0, 3).map((pair, validator) => ({ validator, signature: sign(signed, pair) })) })
  })
  return { epochs: epochs.map((one) => epochSchema.toJson(one)), checkpoints }
}
