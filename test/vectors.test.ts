// The vectors of docs/protocol.md, both ways: our code makes exactly these bytes and reads them back, and a second implementation, which shares
// nothing with ours (plain MessagePack of test/support, node:crypto), comes to the same from the page alone.
import { createHash, createPublicKey, verify as verifyByOpenssl } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { fromHex, toHex, utf8 } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { keyPairFromSeed, sign, verify } from '../primitives/ed25519.node.ts'
import { keyPairFromSeed as keyPairFromSeedPortable, sign as signPortable, verify as verifyPortable } from '../primitives/ed25519.portable.ts'
import { codeOf } from '../primitives/errors.ts'
import { verify as verifyP256 } from '../primitives/p256.node.ts'
import { verify as verifyP256Portable } from '../primitives/p256.portable.ts'
import { verifyMerkleProof } from '../primitives/merkle.ts'
import type { Json, Schema } from '../primitives/schema.ts'
import { blockHeader } from '../consensus/block.ts'
import { checkpointCertificate, slotCertificate } from '../consensus/certificate.ts'
import { decodeMessage, encodeMessage, message as messageSchema } from '../consensus/messages.ts'
import { epoch, validatorSet } from '../consensus/validators.ts'
import { createFrameReader } from '../node/frames.ts'
import { decodeSnapshotQuestion, encodeSnapshotQuestion, manifest } from '../node/snapshot-exchange.ts'
import { type KindName, payloadSchemas } from '../rpc/client/index.ts'
import { attestation } from '../state/credential/attestation.ts'
import { eventSchema } from '../state/events.ts'
import { stateProofSchema, verifyStateProof } from '../state/proof.ts'
import { receiptSchema } from '../state/receipt.ts'
import { decodeTransaction } from '../state/transaction.ts'
import type { StateProof } from '../state/tree.ts'
import { plainVerify as plainVerifyEd25519 } from './support/plain-ed25519.ts'
import { plainDecode, plainEncode, type Tree } from './support/plain-messagepack.ts'
import { compress, G, multiply, plainVerify } from './support/plain-p256.ts'
import { allVectors, textOf } from './vectors/all.ts'
import { schemas } from './vectors/values.ts'

const bytesMax = 10_000_000
const files = new Map(['values', 'hashes', 'transactions', 'blocks', 'state', 'messages', 'ed25519', 'p256', 'identity', 'points', 'places', 'governance', 'snapshot'].map((name) => [name, readFileSync(path.join(import.meta.dirname, `vectors/${name}.json`), 'utf8')]))
const read = <T>(name: string): T => JSON.parse(files.get(name) as string) as T
const bytesOf = (hex: string): Uint8Array => fromHex(hex) as Uint8Array

// the page's own words, by node:crypto
const sha256 = (...parts: readonly Uint8Array[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()
const tagged = (tag: string, ...parts: readonly Uint8Array[]): string => sha256(Buffer.from(`dongbaek/${tag}\0`), ...parts).toString('hex')
const spki = (raw: Uint8Array): ReturnType<typeof createPublicKey> => createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki' })
const holds = (publicKey: string, message: string, signature: string): boolean =>
  verify(bytesOf(signature), bytesOf(message), bytesOf(publicKey)) && verifyByOpenssl(null, bytesOf(message), spki(bytesOf(publicKey)), bytesOf(signature))

/** JSON → value → bytes → value → JSON, and the plain decoder agrees that the bytes are canonical. */
function bothWays<T>(t: Test, what: string, schema: Schema<T>, json: Json, encoded: string): void {
  t.equal(toHex(encode(schema, schema.fromJson(json, ''))), encoded, `${what}: encoded`)
  t.strictSame(schema.toJson(decode(schema, bytesOf(encoded), bytesMax)), json, `${what}: decoded`)
  const tree = plainDecode(bytesOf(encoded))
  t.not(tree, undefined, `${what}: canonical to the second decoder`)
}

t.test('the code makes these very files', async (t) => {
  for (const [name, vectors] of Object.entries(allVectors())) t.ok(textOf(vectors) === files.get(name), `${name}.json (node scripts/vectors.ts makes it anew)`)
})

t.test('values', async (t) => {
  const { values, refused } = read<{ values: { what: string; schema: string; json: Json; tree: Tree; encoded: string }[]; refused: { why: string; schema: string; code: string; encoded: string }[] }>('values')
  for (const { what, schema, json, tree, encoded } of values) {
    bothWays(t, what, schemas[schema] as Schema<unknown>, json, encoded)
    t.equal(plainEncode(tree).toString('hex'), encoded, `${what}: encoded by the second encoder`)
  }
  // too long for the file
  for (const length of [65_535, 65_536, 69_999]) {
    const bytes = new Uint8Array(length)
    t.ok(plainEncode({ bytes: toHex(bytes) }).equals(encode(schemas['bytes of 0 to 70000'] as Schema<unknown>, bytes)), `${length} bytes`)
    t.ok(plainEncode(Array.from(bytes)).equals(encode(schemas['list of integers'] as Schema<unknown>, Array.from(bytes))), `${length} items`)
  }
  for (const { why, schema, code, encoded } of refused) {
    let thrown: unknown
    try {
      decode(schemas[schema] as Schema<unknown>, bytesOf(encoded), bytesMax)
    } catch (error) {
      thrown = error
    }
    t.equal(codeOf(thrown), code, `refused: ${why}`)
  }
})

t.test('hashes, signatures, identities', async (t) => {
  const { sha256: hashes, tagged: tags, merkle, signatures, dids } = read<{
    sha256: { input: string; hash: string }[]
    tagged: { tag: string; input: string; hash: string }[]
    merkle: { leaves: string[]; root: string; proofs: { index: number; path: string[] }[] }[]
    signatures: { publicKey: string; message: string; signature: string }[]
    dids: { multikey: string; did: string }[]
  }>('hashes')
  for (const { input, hash } of hashes) t.equal(sha256(bytesOf(input)).toString('hex'), hash)
  for (const { tag, input, hash } of tags) t.equal(tagged(tag, bytesOf(input)), hash, tag)
  for (const { leaves, root, proofs } of merkle) {
    t.equal(plainMerkleRoot(leaves.map(bytesOf)).toString('hex'), root, `${leaves.length} leaves`)
    for (const { index, path } of proofs) t.ok(verifyMerkleProof(bytesOf(root), bytesOf(leaves[index] as string), index, leaves.length, path.map(bytesOf)), `leaf ${index} of ${leaves.length}`)
  }
  for (const { publicKey, message, signature } of signatures) t.ok(holds(publicKey, message, signature))
  for (const { multikey, did } of dids) t.equal(plainDid([bytesOf(multikey)]), did)
})

t.test('transactions', async (t) => {
  const { attestation: shown, transactions } = read<{
    attestation: { json: Json; encoded: string; signedBytes: string }
    transactions: { what: string; kind: string; payloadJson: Json; payload: string; body: string; signedBytes: string; signers: { signer: string; key: string; signature: string }[]; envelope: string; id: string; reference: string }[]
  }>('transactions')
  bothWays(t, 'an attestation', attestation, shown.json, shown.encoded)
  const fields = plainDecode(bytesOf(shown.encoded)) as readonly Tree[]
  const key = (fields[1] as { readonly bytes: string }).bytes.slice(4)
  t.ok(holds(key, shown.signedBytes, (fields.at(-1) as { readonly bytes: string }).bytes), 'the issuer signed it')
  for (const { what, kind, payloadJson, payload, body, signedBytes, signers, envelope, id, reference } of transactions) {
    bothWays(t, what, payloadSchemas[kind as KindName] as unknown as Schema<unknown>, payloadJson, payload)
    const decoded = decodeTransaction(bytesOf(envelope))
    t.strictSame([toHex(decoded.id), toHex(decoded.reference), decoded.kind, toHex(decoded.payload)], [id, reference, kind, payload], what)
    t.equal(plainEncode([{ bytes: body }, signers.map((one) => ({ bytes: one.signature }))]).toString('hex'), envelope, `${what}: envelope`)
    const bodyTree = plainDecode(bytesOf(body)) as readonly Tree[]
    t.strictSame([bodyTree.length, bodyTree[0], bodyTree.at(-1)], [7, 1, { bytes: payload }], `${what}: body`)
    t.equal(tagged('transaction-id', bytesOf(body)), id, `${what}: id`)
    t.equal(tagged('transaction-envelope', bytesOf(envelope)), reference, `${what}: reference`)
    t.equal(Buffer.concat([Buffer.from('dongbaek/transaction\0'), bytesOf(body)]).toString('hex'), signedBytes, `${what}: signed bytes`)
    for (const one of signers) {
      t.ok(holds(one.key.slice(4), signedBytes, one.signature), `${what}: signed by ${one.signer}`)
      t.equal(plainDid([bytesOf(one.key)]), one.signer)
    }
  }
})

t.test('identities and credentials: every kind once, by keys of both algorithms, its receipts, and the rows at the end', async (t) => {
  const { transactions, byItself, rows } = read<{
    transactions: { kind: string; payloadJson: Json; payload: string; signers: { key: string; signature: string }[]; signedBytes: string; envelope: string; id: string; receiptJson: Json; receipt: string }[]
    byItself: { events: { json: Json; encoded: string }[] }[]
    rows: { key: string; value: string }[]
  }>('identity')
  const algorithms = new Set<string>()
  for (const { kind, payloadJson, payload, signers, signedBytes, envelope, id, receiptJson, receipt } of transactions) {
    bothWays(t, kind, payloadSchemas[kind as KindName] as unknown as Schema<unknown>, payloadJson, payload)
    bothWays(t, `the receipt of ${kind}`, receiptSchema, receiptJson, receipt)
    const body = (plainDecode(bytesOf(envelope)) as readonly [{ readonly bytes: string }, Tree])[0].bytes
    t.equal(plainEncode([{ bytes: body }, signers.map((one) => ({ bytes: one.signature }))]).toString('hex'), envelope, `${kind}: envelope`)
    t.strictSame([tagged('transaction-id', bytesOf(body)), Buffer.concat([Buffer.from('dongbaek/transaction\0'), bytesOf(body)]).toString('hex')], [id, signedBytes], `${kind}: id and signed bytes`)
    for (const { key, signature } of signers) {
      algorithms.add(key.slice(0, 4))
      t.ok(key.startsWith('ed01') ? holds(key.slice(4), signedBytes, signature) : plainVerify(bytesOf(signature), bytesOf(signedBytes), bytesOf(key.slice(4))), `${kind}: signed`)
    }
  }
  t.strictSame([...algorithms].sort(), ['8024', 'ed01'])
  const ran = transactions.filter(({ receiptJson }) => (receiptJson as { readonly status: string }).status === 'ok').map(({ kind }) => kind)
  for (const kind of Object.keys(payloadSchemas).filter((name) => /^(did|credential)\./.test(name))) t.ok(ran.includes(kind), `${kind} ran`)
  t.strictSame(byItself.flatMap(({ events }) => events.map(({ json }) => (json as { readonly type: string }).type)), ['did.updated'])
  for (const { key, value } of rows) t.not(plainDecode(bytesOf(value)), undefined, `${key} is canonical`)
})

const everyKindOnce: Readonly<Record<string, { readonly kinds: RegExp; readonly byItself: readonly string[] }>> = {
  points: { kinds: /^points\./, byItself: ['points.reclaimed', 'points.released'] },
  places: { kinds: /^(reservation|community)\./, byItself: ['points.refunded', 'reservation.drawn', 'reservation.lapsed', 'reservation.promoted', 'reservation.refunded', 'reservation.registrationEnded'] },
  governance: { kinds: /^governance\./, byItself: ['governance.validatorSetActivated'] },
}
for (const [name, { kinds, byItself: types }] of Object.entries(everyKindOnce)) {
  t.test(`${name}: every kind once, its receipts, and the rows at the end`, async (t) => {
    const { transactions, byItself, rows } = read<{
      transactions: { kind: string; payloadJson: Json; payload: string; receiptJson: Json; receipt: string }[]
      byItself: { events: { json: Json; encoded: string }[] }[]
      rows: { key: string; value: string }[]
    }>(name)
    for (const { kind, payloadJson, payload, receiptJson, receipt } of transactions) {
      bothWays(t, kind, payloadSchemas[kind as KindName] as unknown as Schema<unknown>, payloadJson, payload)
      bothWays(t, `the receipt of ${kind}`, receiptSchema, receiptJson, receipt)
    }
    const ran = transactions.filter(({ receiptJson }) => (receiptJson as { readonly status: string }).status === 'ok').map(({ kind }) => kind)
    for (const kind of Object.keys(payloadSchemas).filter((each) => kinds.test(each))) t.ok(ran.includes(kind), `${kind} ran`)
    const own = byItself.flatMap(({ events }) => events)
    for (const { json, encoded } of own) bothWays(t, 'an event of the chain', eventSchema, json, encoded)
    t.strictSame([...new Set(own.map(({ json }) => (json as { readonly type: string }).type))].sort(), types)
    for (const { key, value } of rows) t.not(plainDecode(bytesOf(value)), undefined, `${key} is canonical`)
  })
}

t.test('Ed25519, with its edges, by libsodium, by noble and from the definition', async (t) => {
  const { seed, publicKey, cases } = read<{ seed: string; publicKey: string; cases: { what: string; publicKey: string; message: string; signature: string; valid: boolean }[] }>('ed25519')
  for (const { what, publicKey: key, message, signature, valid } of cases) {
    const judged = [verify, verifyPortable, plainVerifyEd25519].map((judge) => judge(bytesOf(signature), bytesOf(message), bytesOf(key)))
    t.strictSame(judged, [valid, valid, valid], what)
  }
  // RFC 8032, section 7.1, test 1, as printed there
  t.match(cases[0], { publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', signature: 'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b' })
  for (const [pairOf, signed] of [[keyPairFromSeed, sign], [keyPairFromSeedPortable, signPortable]] as const) {
    const pair = pairOf(bytesOf(seed))
    t.equal(toHex(pair.publicKey), publicKey)
    for (const { message, signature } of cases.filter(({ what }) => what.startsWith('an ordinary'))) t.equal(toHex(signed(bytesOf(message), pair)), signature)
  }
})

t.test('signatures by P-256, by both implementations and from the definition', async (t) => {
  const { secret, publicKey, cases } = read<{ secret: string; publicKey: string; cases: { what: string; publicKey: string; message: string; signature: string; valid: boolean }[] }>('p256')
  t.equal(toHex(compress(multiply(G, BigInt(`0x${secret}`)))), publicKey)
  for (const { what, valid, ...hex } of cases) {
    const [signature, message, key] = [hex.signature, hex.message, hex.publicKey].map(bytesOf) as [Uint8Array, Uint8Array, Uint8Array]
    t.strictSame([verifyP256(signature, message, key), verifyP256Portable(signature, message, key), plainVerify(signature, message, key)], [valid, valid, valid], what)
    t.strictSame([verifyP256(signature, message, key), verifyP256Portable(signature, message, key)], [valid, valid], `${what}, again`)
  }
})

t.test('blocks and certificates', async (t) => {
  interface Encoded {
    readonly json: Json
    readonly encoded: string
    readonly hash: string
  }
  const vectors = read<{ references: string[]; header: Encoded; validatorSet: Encoded; epoch: Encoded; commit: Encoded; checkpoint: Encoded & { signedBytes: string }; votes: { signedBytes: Record<string, string> } }>('blocks')
  for (const [name, schema, tag] of [['header', blockHeader, 'block'], ['validatorSet', validatorSet, 'validator-set'], ['epoch', epoch, 'epoch']] as const) {
    const { json, encoded, hash } = vectors[name]
    bothWays(t, name, schema as unknown as Schema<unknown>, json, encoded)
    t.equal(tagged(tag, bytesOf(encoded)), hash, `${name}: hash`)
  }
  bothWays(t, 'commit certificate', slotCertificate, vectors.commit.json, vectors.commit.encoded)
  bothWays(t, 'checkpoint certificate', checkpointCertificate, vectors.checkpoint.json, vectors.checkpoint.encoded)
  const header = plainDecode(bytesOf(vectors.header.encoded)) as readonly Tree[]
  t.strictSame(header[5], { bytes: plainMerkleRoot(vectors.references.map(bytesOf)).toString('hex') }, 'the payload is the root of the references')
  const keys = ((plainDecode(bytesOf(vectors.validatorSet.encoded)) as readonly Tree[])[0] as readonly Tree[]).map((one) => ((one as readonly Tree[])[2] as { readonly bytes: string }).bytes)
  for (const [certificate, signedBytes] of [[vectors.commit, vectors.votes.signedBytes['commit'] as string], [vectors.checkpoint, vectors.checkpoint.signedBytes]] as const) {
    const entries = (plainDecode(bytesOf(certificate.encoded)) as readonly Tree[]).at(-1) as readonly (readonly [number, { readonly bytes: string }])[]
    for (const [validator, { bytes }] of entries) t.ok(holds(keys[validator] as string, signedBytes, bytes), `signature of validator ${validator}`)
  }
})

t.test('receipts, state and proofs', async (t) => {
  const vectors = read<{
    outcome: { encoded: string }
    receipts: { json: Json; encoded: string; path: string[] }[]
    receiptsRoot: string
    entries: { key: string; value: string }[]
    stateRoot: string
    proofs: { key: string; value: string | null; proof: Json }[]
  }>('state')
  const leaves = [vectors.outcome.encoded, ...vectors.receipts.map(({ encoded }) => encoded)].map(bytesOf)
  t.equal(plainMerkleRoot(leaves).toString('hex'), vectors.receiptsRoot, 'receipts root')
  for (const [i, { json, encoded, path }] of vectors.receipts.entries()) {
    bothWays(t, `receipt ${i}`, receiptSchema, json, encoded)
    t.ok(verifyMerkleProof(bytesOf(vectors.receiptsRoot), bytesOf(encoded), i + 1, leaves.length, path.map(bytesOf)), `receipt ${i} is in the block`)
  }
  const entries = vectors.entries.map(({ key, value }) => ({ path: bits(sha256(utf8(key))), leaf: sha256(Buffer.of(0), sha256(utf8(key)), sha256(bytesOf(value))) }))
  t.equal(plainStateRoot(entries, 0).hash.toString('hex'), vectors.stateRoot, 'state root')
  for (const { key, value, proof } of vectors.proofs) {
    const decoded = stateProofSchema.fromJson(proof, '') as unknown as StateProof
    t.ok(verifyStateProof(bytesOf(vectors.stateRoot), key, value === null ? undefined : bytesOf(value), decoded), `${key} is ${value === null ? 'absent' : 'there'}`)
    t.notOk(verifyStateProof(bytesOf(vectors.stateRoot), key, utf8('another value'), decoded), `${key} has no other value`)
  }
})

t.test('consensus messages and frames', async (t) => {
  const { messages, validators, frames } = read<{ messages: { what: string; json: Json; encoded: string; signedBy?: number; signedBytes?: string }[]; validators: string[]; frames: { contents: string[]; stream: string }[] }>('messages')
  for (const { what, json, encoded, signedBy, signedBytes } of messages) {
    t.strictSame(messageSchema.toJson(decodeMessage(bytesOf(encoded))), json, `${what}: decoded`)
    t.equal(toHex(encodeMessage(messageSchema.fromJson(json, ''))), encoded, `${what}: encoded`)
    const tree = plainDecode(bytesOf(encoded)) as readonly [{ readonly text: string }, readonly Tree[]] | undefined
    const { type } = json as { readonly type: string }
    t.equal(tree?.[0].text, type, `${what}: canonical to the second decoder`)
    if (signedBy === undefined || signedBytes === undefined) continue
    // behind the signature of these comes their foundation, which speaks for itself
    const signatureAt = type === 'view-change' || type === 'new-view' ? -2 : -1
    t.ok(holds(validators[signedBy] as string, signedBytes, ((tree as NonNullable<typeof tree>)[1].at(signatureAt) as { readonly bytes: string }).bytes), `${what}: signed`)
  }
  for (const { contents, stream } of frames) {
    const plain = contents.map((hex) => `${(hex.length / 2).toString(16).padStart(8, '0')}${hex}`).join('')
    t.equal(plain, stream, 'framed')
    const got: string[] = []
    createFrameReader(1_000, (frame) => got.push(toHex(frame))).push(bytesOf(stream))
    t.strictSame(got, contents.filter((hex) => hex !== ''), 'read back, heartbeats left out')
  }
})

function plainMerkleRoot(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return Buffer.alloc(32)
  if (leaves.length === 1) return sha256(Buffer.of(0), leaves[0] as Uint8Array)
  // RFC 9162: split at the largest power of two below the number
  const split = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
  return sha256(Buffer.of(1), plainMerkleRoot(leaves.slice(0, split)), plainMerkleRoot(leaves.slice(split)))
}

function bits(hash: Buffer): string {
  return [...hash].map((byte) => byte.toString(2).padStart(8, '0')).join('')
}

interface PlainEntry {
  readonly path: string
  readonly leaf: Buffer
}

function plainStateRoot(entries: readonly PlainEntry[], depth: number): { readonly hash: Buffer; readonly leaf: boolean } {
  if (entries.length === 0) return { hash: Buffer.alloc(32), leaf: false }
  if (entries.length === 1) return { hash: (entries[0] as PlainEntry).leaf, leaf: true }
  const half = (bit: string): Buffer => plainStateRoot(entries.filter(({ path }) => path[depth] === bit), depth + 1).hash
  return { hash: sha256(Buffer.of(1), half('0'), half('1')), leaf: false }
}

function plainDid(multikeys: readonly Uint8Array[]): string {
  const hash = tagged('did', ...multikeys.flatMap((key) => [Buffer.of(key.length), key]))
  return `did:dongbaek:${Buffer.from(hash, 'hex').subarray(0, 20).toString('base64url')}`
}

t.test('snapshots', async (t) => {
  interface Part {
    readonly prefix: string
    readonly entries: readonly { readonly key: string; readonly value: string }[]
    readonly encoded: string
  }
  const { parts, root, manifest: shown, questions } = read<{ parts: readonly Part[]; root: string; manifest: { value: Json; encoded: string; hash: string }; questions: readonly { tree: Tree; encoded: string }[] }>('snapshot')
  const bitsOf = (hash: Uint8Array): string => [...hash].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  interface Node {
    readonly hash: Buffer
    readonly leaf: boolean
  }
  const node = (leaves: readonly { readonly bits: string; readonly hash: Buffer }[], depth: number): Node => {
    const [first] = leaves
    if (first === undefined) return { hash: Buffer.alloc(32), leaf: false }
    if (leaves.length === 1) return { hash: first.hash, leaf: true }
    const [left, right] = ['0', '1'].map((bit) => node(leaves.filter(({ bits }) => bits[depth] === bit), depth + 1)) as [Node, Node]
    return { hash: sha256(Buffer.of(1), left.hash, right.hash), leaf: false }
  }
  const leavesOf = ({ entries }: Part): { readonly bits: string; readonly hash: Buffer }[] =>
    entries.map(({ key, value }) => {
      const keyHash = sha256(Buffer.from(key))
      return { bits: bitsOf(keyHash), hash: sha256(Buffer.of(0), keyHash, sha256(bytesOf(value))) }
    })
  for (const part of parts) {
    const encoded = part.entries.map(({ key, value }) => {
      const head = Buffer.alloc(6)
      head.writeUInt16BE(key.length)
      head.writeUInt32BE(value.length / 2, 2)
      return Buffer.concat([head, Buffer.from(key), bytesOf(value)])
    })
    t.equal(Buffer.concat(encoded).toString('hex'), part.encoded, `part ${part.prefix}`)
    const hashes = part.entries.map(({ key }) => sha256(Buffer.from(key)).toString('hex'))
    t.ok(hashes.every((hash, i) => hash.startsWith(part.prefix) && (i === 0 || (hashes[i - 1] as string) < hash)), `part ${part.prefix}: in order`)
  }
  t.equal(node(parts.flatMap(leavesOf), 0).hash.toString('hex'), root)
  bothWays(t, 'manifest', manifest, shown.value, shown.encoded)
  const [[content], list] = plainDecode(bytesOf(shown.encoded)) as unknown as readonly [readonly [Tree], Tree]
  t.equal(tagged('snapshot', plainEncode([content, list])), shown.hash)
  for (const { tree, encoded } of questions) {
    t.equal(plainEncode(tree).toString('hex'), encoded)
    t.equal(toHex(encodeSnapshotQuestion(decodeSnapshotQuestion(bytesOf(encoded)))), encoded)
  }
})
