// The verifier: the same verdicts on every path, workers that die, a clean stop; and what each path costs.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { utf8 } from '../../primitives/bytes.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { verifyInlineMax, verifyParcelItems, verifyWaitingMax } from '../../node/limits.ts'
import { silentLog } from '../../node/log.ts'
import { createVerifier } from '../../node/verifier.ts'
import { keyPairFromSecret, sign as signP256 } from '../../primitives/p256.ts'
import { type SignedItem, verifySigned } from '../../primitives/signature.ts'

const pairs = Array.from({ length: 8 }, (_, i) => keyPairFromSeed(new Uint8Array(32).fill(i)))
const phones = Array.from({ length: 3 }, (_, i) => keyPairFromSecret(new Uint8Array(32).fill(i + 1)))
/** Every third by P-256; signing in software is slow, so few messages. */
function signed(i: number): SignedItem {
  if (i % 3 === 2) return signedByPhone(i % 9)
  const pair = pairs[i % pairs.length] as (typeof pairs)[number]
  const message = utf8(`message ${i} `.repeat(1 + (i % 20)))
  return { algorithm: 'ed25519', publicKey: pair.publicKey, message, signature: sign(message, pair) }
}
const byPhones = new Map<number, SignedItem>()
function signedByPhone(i: number): SignedItem {
  let item = byPhones.get(i)
  if (item === undefined) {
    const pair = phones[i % phones.length] as (typeof phones)[number]
    const message = utf8(`phone ${i} `.repeat(1 + i))
    byPhones.set(i, (item = { algorithm: 'p256', publicKey: pair.publicKey, message, signature: signP256(message, pair) }))
  }
  return item
}

/** Good ones, and each way of being wrong. */
function mixed(count: number): SignedItem[] {
  return Array.from({ length: count }, (_, i) => {
    const item = signed(i)
    if (i % 5 === 1) return { ...item, message: utf8('another') }
    if (i % 7 === 2) return { ...item, signature: item.signature.subarray(1) }
    if (i % 11 === 3) return { ...item, publicKey: new Uint8Array(0) }
    if (i % 13 === 4) return { ...item, signature: new Uint8Array(64) }
    return item
  })
}
const expected = (items: readonly SignedItem[]): boolean[] => items.map(verifySigned)

t.test('the same verdicts on every path and at every size', async (t) => {
  for (const workers of [0, 1, 2]) {
    const verifier = createVerifier({ log: silentLog, workers })
    for (const count of [0, 1, verifyInlineMax, verifyInlineMax + 1, verifyParcelItems, verifyParcelItems + 1, 3 * verifyParcelItems + 7]) {
      const items = mixed(count)
      t.same(await verifier.verifyBatch(items), expected(items), `${workers} workers, ${count} items`)
    }
    const wrong = Array.from({ length: 9 }, () => ({ ...signed(1), publicKey: new Uint8Array(5) }))
    t.same(await verifier.verifyBatch(wrong), new Array(9).fill(false))
    t.equal(verifier.verifyNow(signed(3)), true)
    const batches = Array.from({ length: 20 }, (_, i) => mixed(10 + i))
    t.same(await Promise.all(batches.map((items) => verifier.verifyBatch(items))), batches.map(expected), 'many at once')
    await verifier.stop()
    await verifier.stop()
    await t.rejects(verifier.verifyBatch([signed(1)]), { code: 'verifier/stopped' })
  }
})

t.test('what waits is bounded, and a stop rejects it', async (t) => {
  const verifier = createVerifier({ log: silentLog, workers: 1 })
  const item = signed(1)
  const many = verifier.verifyBatch(new Array<SignedItem>(verifyWaitingMax).fill(item))
  await t.rejects(verifier.verifyBatch(new Array<SignedItem>(10).fill(item)), { code: 'verifier/busy' })
  const rejected = t.rejects(many, { code: 'verifier/stopped' })
  await verifier.stop()
  await rejected
})

t.test('a worker that dies is replaced and its parcel done again; if all die, the work is done here', async (t) => {
  const folder = t.testdir()
  const good = new URL('../../node/verifier-parcel.ts', import.meta.url).href
  const dying = join(folder, 'dying.ts')
  // ends at each third parcel, which it has taken
  writeFileSync(dying, `import { parentPort } from 'node:worker_threads'\nimport { verifyParcel } from '${good}'\nlet seen = 0\nparentPort?.on('message', (p: ArrayBuffer) => { if (++seen === 3) process.exit(7); verifyParcel(p); parentPort?.postMessage(p, [p]) })\n`)
  const dead = join(folder, 'dead.ts')
  writeFileSync(dead, `throw new Error('planted')\n`)
  for (const file of [dying, dead]) {
    const verifier = createVerifier({ log: silentLog, workers: 2, workerFile: pathToFileURL(file) })
    const items = mixed(10 * verifyParcelItems)
    t.same(await verifier.verifyBatch(items), expected(items), file === dead ? 'dead at once' : 'dying')
    t.same(await verifier.verifyBatch(items.slice(0, 50)), expected(items.slice(0, 50)))
    await verifier.stop()
  }
})

t.test('what it costs', async (t) => {
  const verifier = createVerifier({ log: silentLog, workers: 1 })
  await verifier.verifyBatch(mixed(10))
  const measure = async (count: number, rounds: number): Promise<{ us: number; loop: number }> => {
    const items = Array.from({ length: count }, (_, i) => signed(i))
    const began = performance.now()
    const busy = performance.eventLoopUtilization()
    for (let i = 0; i < rounds; i++) await verifier.verifyBatch(items)
    const wall = performance.now() - began
    return { us: (wall * 1_000) / (count * rounds), loop: performance.eventLoopUtilization(busy).utilization }
  }
  for (const [count, rounds] of [[1, 400], [verifyInlineMax, 200], [verifyInlineMax + 1, 200], [8, 100], [32, 40], [512, 4]] as const) {
    const { us, loop } = await measure(count, rounds)
    t.comment(`batches of ${count}: ${us.toFixed(1)} µs a signature, ${(us * loop).toFixed(1)} of it on the calling thread`)
  }
  await verifier.stop()
  t.pass()
})
