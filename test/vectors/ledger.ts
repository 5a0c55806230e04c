// Vectors of what the ledger is made of: hashes, identities, transactions, blocks and certificates, receipts, state and its proofs.
import type { Did, Hash, Height, TimeMs, TransactionId, View, Won } from '../../primitives/brand.ts'
import { toHex, utf8 } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { sha256, taggedHash } from '../../primitives/hash.ts'
import { merkleProof, merkleRoot } from '../../primitives/merkle.ts'
import type { Json } from '../../primitives/schema.ts'
import { blockHash, type BlockHeader, blockHeader } from '../../consensus/block.ts'
import { checkpointCertificate, slotCertificate } from '../../consensus/certificate.ts'
import { epoch, epochHash, type ValidatorSet, validatorSet, validatorSetHash } from '../../consensus/validators.ts'
import { checkpointBytes, type CheckpointContent, voteBytes } from '../../consensus/votes.ts'
import { signAttestation, attestation as attestationSchema, attestationSignedBytes } from '../../state/credential/attestation.ts'
import { didOf, recoveryHashOf, registerPayload } from '../../state/did/types.ts'
import { proposePayload, votePayload } from '../../state/governance/types.ts'
import { applyPayload, spendPayload } from '../../state/points/types.ts'
import { keyHashOf, stateProofSchema } from '../../state/proof.ts'
import { blockRecordTable } from '../../state/block-record.ts'
import { blockOutcomeSchema, type Receipt, receiptLeaves, receiptSchema, receiptsRoot } from '../../state/receipt.ts'
import { encodeValue, stateKey } from '../../state/table.ts'
import { encodeBody, encodeTransaction, envelopeReference, multikeyOf, type TransactionBody, transactionIdOf, transactionSignedBytes } from '../../state/transaction.ts'
import { createStateTree } from '../../state/tree.ts'
import { firstKey } from '../../genesis/ceremony.ts'

export const chain = 'vectors-0123456789abcdef'
const timeMs = 1_778_716_800_000 as TimeMs
const seedOf = (name: string): Uint8Array => sha256(utf8(`vector seed of ${name}`))
const pairOf = (name: string): ReturnType<typeof keyPairFromSeed> => keyPairFromSeed(seedOf(name))
const didKeyOf = (name: string): ReturnType<typeof firstKey> => firstKey(pairOf(name).publicKey)
const didFor = (name: string): Did => didOf([didKeyOf(name)])

export function hashVectors(): Json {
  const leaves = ['', 'a', 'bc', 'def', '가나다'].map(utf8)
  return {
    sha256: ['', 'abc', '동백'].map((input) => ({ input: toHex(utf8(input)), hash: toHex(sha256(utf8(input))) })),
    tagged: [
      ['block', 'x'],
      ['transaction-id', ''],
    ].map(([tag, input]) => ({ tag: tag as string, input: toHex(utf8(input as string)), hash: toHex(taggedHash(tag as string, utf8(input as string))) })),
    merkle: [0, 1, 2, 3, 5].map((count) => {
      const some = leaves.slice(0, count)
      return { leaves: some.map(toHex), root: toHex(merkleRoot(some)), proofs: some.map((_, index) => ({ index, path: merkleProof(some, index).map(toHex) })) }
    }),
    signatures: ['', '동백'].map((message) => ({ seed: toHex(seedOf('citizen')), publicKey: toHex(pairOf('citizen').publicKey), message: toHex(utf8(message)), signature: toHex(sign(utf8(message), pairOf('citizen'))) })),
    dids: ['citizen', 'registrar'].map((name) => ({ publicKey: toHex(pairOf(name).publicKey), multikey: toHex(multikeyOf(pairOf(name).publicKey)), did: didFor(name) })),
    recovery: [{ multikey: toHex(multikeyOf(pairOf('recovery').publicKey)), hash: toHex(recoveryHashOf(multikeyOf(pairOf('recovery').publicKey))) }],
  }
}

function transactionVector(what: string, kind: string, payload: Uint8Array, payloadJson: Json, signers: readonly string[], saltFill: number): Json {
  const fields: TransactionBody = { version: 1, chain, kind, signers: signers.map((name) => ({ did: didFor(name), key: multikeyOf(pairOf(name).publicKey) })), validUntilMs: (timeMs + 300_000) as TimeMs, salt: new Uint8Array(16).fill(saltFill), payload }
  const body = encodeBody(fields)
  const signed = transactionSignedBytes(body)
  const signatures = signers.map((name) => ({ signer: didFor(name), key: multikeyOf(pairOf(name).publicKey), signature: sign(signed, pairOf(name)) }))
  const envelope = encodeTransaction(body, signatures.map(({ signature }) => signature))
  return {
    what,
    kind,
    payloadJson,
    payload: toHex(payload),
    body: toHex(body),
    signedBytes: toHex(signed),
    signers: signatures.map(({ signer, key, signature }) => ({ signer, key: toHex(key), signature: toHex(signature) })),
    envelope: toHex(envelope),
    id: toHex(transactionIdOf(body)),
    reference: toHex(envelopeReference(envelope)),
  }
}

export function transactionVectors(): Json {
  const register = { keys: [didKeyOf('citizen')], services: [], recovery: recoveryHashOf(multikeyOf(pairOf('recovery').publicKey)) }
  const statement = { issuer: didFor('issuer'), key: multikeyOf(pairOf('issuer').publicKey), purpose: 'points:multi-child', subject: didFor('citizen'), claim: 'two-children', pseudonym: sha256(utf8('household')), expiresMs: (timeMs + 1_000_000) as TimeMs }
  const attestation = signAttestation(chain, statement, (message) => sign(message, pairOf('issuer')))
  const apply = { program: 'multi-child', attestation }
  const spend = { program: 'multi-child', merchant: didFor('bookshop'), amount: 42_000 as Won, reference: 'till-1-0001' }
  const change = {
    action: {
      type: 'changeValidators' as const,
      changes: [
        { type: 'add' as const, name: 'busan-3', organisation: 'busan', publicKey: pairOf('busan-3').publicKey, addresses: ['node3.busan.example:26600'] },
        { type: 'replaceKey' as const, name: 'bnk-1', publicKey: pairOf('bnk-1 again').publicKey },
        { type: 'remove' as const, name: 'bnk-2' },
        { type: 'setMinimum' as const, organisation: 'busan', minimum: 2 },
      ],
    },
    expiresMs: (timeMs + 1_000_000) as TimeMs,
    evidence: utf8('two messages'),
  }
  const rules = { action: { type: 'activateRules' as const, version: 2, fromHeight: 900_000 as Height }, expiresMs: (timeMs + 1_000_000) as TimeMs }
  const ballot = { proposal: 7, vote: 'yes' as const }
  return {
    chain,
    seeds: Object.fromEntries(['citizen', 'registrar', 'issuer', 'bookshop', 'recovery', 'governor'].map((name) => [name, toHex(seedOf(name))])),
    attestation: { json: attestationSchema.toJson(attestation), encoded: toHex(encode(attestationSchema, attestation)), signedBytes: toHex(attestationSignedBytes(chain, statement)) },
    transactions: [
      transactionVector('a citizen registers, a registrar countersigns', 'did.register', encode(registerPayload, register), registerPayload.toJson(register), ['citizen', 'registrar'], 1),
      transactionVector('a family applies with an attestation', 'points.apply', encode(applyPayload, apply), applyPayload.toJson(apply), ['citizen'], 2),
      transactionVector('points are spent at a bookshop', 'points.spend', encode(spendPayload, spend), spendPayload.toJson(spend), ['citizen'], 3),
      transactionVector('a governor proposes another validator set', 'governance.propose', encode(proposePayload, change), proposePayload.toJson(change), ['governor'], 4),
      transactionVector('a governor proposes the next rule set', 'governance.propose', encode(proposePayload, rules), proposePayload.toJson(rules), ['governor'], 5),
      transactionVector('a governor votes', 'governance.vote', encode(votePayload, ballot), votePayload.toJson(ballot), ['governor'], 6),
    ],
  }
}

export const set: ValidatorSet = {
  validators: ['busan-1', 'bnk-1', 'busan-2', 'bnk-2'].map((name) => ({ name, organisation: name.split('-')[0] as string, publicKey: pairOf(name).publicKey })),
  minimums: ['busan', 'bnk'].map((organisation) => ({ organisation, minimum: 1 })),
}
const signers = [0, 1, 3]
const signaturesOver = (bytes: Uint8Array): { validator: number; signature: Uint8Array }[] => signers.map((validator) => ({ validator, signature: sign(bytes, pairOf((set.validators[validator] as { name: string }).name)) }))

export const references: readonly Hash[] = ['first', 'second', 'third'].map((name) => taggedHash('transaction-envelope', utf8(name)))

export function headerOf(): BlockHeader {
  return { chain, height: 7 as Height, parent: sha256(utf8('parent')) as Hash, timeMs, proposer: 1, payload: merkleRoot(references), payloadCount: references.length }
}

export function contentOf(stateRoot: Hash): CheckpointContent {
  return { height: 7 as Height, blockHash: blockHash(headerOf()), stateRoot, nextSet: epochHash({ activation: 1 as Height, set }) }
}

export function blockVectors(): Json {
  const header = headerOf()
  const hash = blockHash(header)
  const view = 2 as View
  const votes = Object.fromEntries((['pre-prepare', 'prepare', 'commit'] as const).map((kind) => [kind, toHex(voteBytes(kind, chain, view, header.height, hash))]))
  const commit = { view, height: header.height, blockHash: hash, signatures: signaturesOver(voteBytes('commit', chain, view, header.height, hash)) }
  const content = contentOf(sha256(utf8('state root')) as Hash)
  const checkpoint = { content, signatures: signaturesOver(checkpointBytes(chain, content)) }
  const first = { activation: 1 as Height, set }
  return {
    chain,
    references: references.map(toHex),
    header: { json: blockHeader.toJson(header), encoded: toHex(encode(blockHeader, header)), hash: toHex(hash) },
    validatorSet: { json: validatorSet.toJson(set), encoded: toHex(encode(validatorSet, set)), hash: toHex(validatorSetHash(set)) },
    epoch: { json: epoch.toJson(first), encoded: toHex(encode(epoch, first)), hash: toHex(epochHash(first)) },
    votes: { view, signedBytes: votes },
    commit: { json: slotCertificate.toJson(commit), encoded: toHex(encode(slotCertificate, commit)) },
    checkpoint: { json: checkpointCertificate.toJson(checkpoint), encoded: toHex(encode(checkpointCertificate, checkpoint)), signedBytes: toHex(checkpointBytes(chain, content)) },
  }
}

export function stateVectors(): Json {
  const id = (name: string): TransactionId => sha256(utf8(name)) as Uint8Array as TransactionId
  const place = { height: 7 as Height }
  const receipts: readonly Receipt[] = [
    { id: id('one'), ...place, index: 0, status: 'ok', events: [] },
    { id: id('two'), ...place, index: 1, status: 'refused', code: 'points/insufficient-balance', data: { amount: 42_000, available: 300 }, events: [] },
  ]
  const outcome = { ...place, events: [] }
  const leaves = receiptLeaves(outcome, receipts)
  const entries = new Map<string, Uint8Array>(Array.from({ length: 12 }, (_, i) => [`vectors/${String(i).padStart(16, '0')}`, utf8(`value ${i}`)]))
  const record = { hash: blockHash(headerOf()), timeMs, receiptsRoot: receiptsRoot(leaves) }
  const blockKey = stateKey(blockRecordTable, [7])
  entries.set(blockKey, encodeValue(blockRecordTable, record))
  const tree = createStateTree(() => undefined, 1_000)
  tree.update([...entries].map(([key, value]) => ({ keyHash: keyHashOf(key), valueHash: sha256(value) })))
  const proof = (key: string): Json => {
    const proven = tree.prove(keyHashOf(key))
    const value = entries.get(key)
    return { key, value: value === undefined ? null : toHex(value), proof: stateProofSchema.toJson(proven as never) }
  }
  const keys = [...entries.keys()]
  return {
    outcome: { json: blockOutcomeSchema.toJson(outcome), encoded: toHex(leaves[0] as Uint8Array) },
    receipts: receipts.map((receipt, i) => ({ json: receiptSchema.toJson(receipt), encoded: toHex(leaves[i + 1] as Uint8Array), path: merkleProof(leaves, i + 1).map(toHex) })),
    receiptsRoot: toHex(receiptsRoot(leaves)),
    entries: [...entries].map(([key, value]) => ({ key, value: toHex(value) })),
    stateRoot: toHex(tree.root()),
    proofs: [keys[0] as string, keys[5] as string, blockKey, 'vectors/absent', 'vectors/absent-too', 'vectors/0000000000000099'].map(proof),
  }
}

