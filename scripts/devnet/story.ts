// What the chapters of launch day tell their story with: people and their keys, sending and waiting, and checks that stop the day when they fail.
import type { Did } from '../../primitives/brand.ts'
import { fromBase64url, toBase64url, utf8 } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { buildTransaction, type Client, type KindName, type PayloadOf, type ReceiptJson, type SignedTransaction, signTransaction, submitAndWait, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import { signAttestation, type Attestation } from '../../state/credential/attestation.ts'
import type { Journal } from './journal.ts'
import type { Network } from './network.ts'

export interface Send<K extends KindName> {
  readonly kind: K
  readonly by: Wallet
  readonly payload: PayloadOf<K>
  readonly countersigned?: readonly Wallet[]
}

export interface Story {
  readonly client: Client
  readonly chainId: string
  readonly network: Network
  readonly journal: Journal
  /** A key of an office or a merchant. */
  readonly office: (id: string) => Wallet
  /** A key of a citizen of our invention. */
  readonly citizen: (name: string) => Wallet
  /** 32 bytes that depend on the purpose alone. */
  readonly bytesFor: (purpose: string) => Uint8Array
  /** Sends under a name that is used once, and gives the receipt, which must be `ok`. */
  readonly send: <K extends KindName>(key: string, what: Send<K>) => Promise<ReceiptJson>
  /** The same where a rule must refuse with this very code. */
  readonly sendRefused: <K extends KindName>(key: string, code: string, what: Send<K>) => Promise<ReceiptJson>
  /** What the issuer states about a citizen; `person` is who it is, whatever DID. */
  readonly attest: (statement: { readonly purpose: string; readonly subject: Did; readonly claim: string; readonly person: string }) => Attestation
}

const attestationValidMs = 365 * 86_400_000

/** A step of the day does not hold. */
export class StoryError extends Error {}

export function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new StoryError(what)
}

export function expectEqual<T>(actual: T, expected: T, what: string): void {
  const shown = (value: unknown): string => JSON.stringify(value) ?? 'nothing'
  expect(shown(actual) === shown(expected), `${what}: expected ${shown(expected)}, got ${shown(actual)}`)
}

export function createStory(client: Client, network: Network, journal: Journal): Story {
  const { chainId } = network
  const secret = utf8(journal.seed)
  const bytesFor = (purpose: string): Uint8Array => taggedHash('devnet/launch-day', secret, utf8(purpose))
  const wallets = new Map<string, Wallet>()
  const walletOf = (key: string, seed: () => Uint8Array): Wallet => {
    const wallet = wallets.get(key) ?? walletFromSeed(seed())
    wallets.set(key, wallet)
    return wallet
  }
  const office = (id: string): Wallet => walletOf(`office/${id}`, () => network.seedOf(id))

  /** The bytes of an earlier start of this day, or new ones, kept before they are sent. */
  const prepared = async <K extends KindName>(key: string, { kind, by, payload, countersigned = [] }: Send<K>): Promise<SignedTransaction> => {
    const earlier = journal.entry(key)
    if (earlier !== undefined) return { id: bytesOf(earlier.id) as SignedTransaction['id'], bytes: bytesOf(earlier.bytes), validUntilMs: earlier.validUntilMs }
    const signed = await signTransaction(buildTransaction({ chain: chainId, kind, sender: by, countersigners: countersigned, payload }), [by, ...countersigned])
    journal.record(key, { id: toBase64url(signed.id), bytes: toBase64url(signed.bytes), validUntilMs: signed.validUntilMs })
    return signed
  }

  /** What was signed long ago and never ran cannot run any more: it is made anew. */
  const submitted = async <K extends KindName>(key: string, what: Send<K>): Promise<readonly [SignedTransaction, ReceiptJson]> => {
    const signed = await prepared(key, what)
    try {
      return [signed, await submitAndWait(client, signed)]
    } catch (error) {
      if (!(error instanceof DongbaekError) || error.code !== 'tx/expired') throw error
      journal.forget(key)
      const anew = await prepared(key, what)
      return [anew, await submitAndWait(client, anew)]
    }
  }

  const settle = async <K extends KindName>(key: string, what: Send<K>): Promise<ReceiptJson> => {
    const [signed, receipt] = await submitted(key, what)
    const { id, height, status, code } = receipt
    expectEqual(id, toBase64url(signed.id), `the id in the receipt of ${key}`)
    const before = journal.entry(key)
    if (before?.height !== undefined) expectEqual([height, status], [before.height, before.status], `the receipt of ${key}, answered as final before`)
    journal.record(key, { id, bytes: toBase64url(signed.bytes), validUntilMs: signed.validUntilMs, height, status, ...(code === undefined ? {} : { code }) })
    return receipt
  }

  return {
    client,
    chainId,
    network,
    journal,
    office,
    citizen: (name) => walletOf(`citizen/${name}`, () => bytesFor(`citizen/${name}`)),
    bytesFor,
    send: async (key, what) => {
      const receipt = await settle(key, what)
      expect(receipt.status === 'ok', `${what.kind} (${key}) was refused: ${receipt.code} ${JSON.stringify(receipt.data ?? {})}`)
      return receipt
    },
    sendRefused: async (key, code, what) => {
      const receipt = await settle(key, what)
      expectEqual([receipt.status, receipt.code], ['refused', code], `the fate of ${what.kind} (${key})`)
      return receipt
    },
    attest: ({ purpose, subject, claim, person }) => {
      const issuer = office('issuer')
      const expiresMs = (journal.startedMs + attestationValidMs) as Attestation['expiresMs']
      // one person (or household), one pseudonym for a purpose, and another for every other purpose
      const pseudonym = bytesFor(`pseudonym/${purpose}/${person}`)
      return signAttestation(chainId, { issuer: issuer.did, key: issuer.key, purpose, subject, claim, pseudonym, expiresMs }, (message) => issuer.sign(message) as Uint8Array)
    },
  }
}

export function bytesOf(text: string): Uint8Array {
  const bytes = fromBase64url(text)
  expect(bytes !== undefined, `base64url, not ${text}`)
  return bytes
}
