// Vectors of identities and credentials: every kind of transaction of both families once, as whole envelopes by keys of both algorithms, with its receipt, what a block
// did by itself, and the rows of the state at the end.
import type { Height } from '../../primitives/brand.ts'
import { toHex, utf8 } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { sha256 } from '../../primitives/hash.ts'
import type { Json, Schema } from '../../primitives/schema.ts'
import { anchor } from '../../state/credential/anchor.ts'
import { registerIssuer } from '../../state/credential/register-issuer.ts'
import { registerSchema } from '../../state/credential/register-schema.ts'
import { setStatus } from '../../state/credential/set-status.ts'
import { completeRecovery } from '../../state/did/complete-recovery.ts'
import { deactivate } from '../../state/did/deactivate.ts'
import { recover } from '../../state/did/recover.ts'
import { register } from '../../state/did/register.ts'
import { requestRecovery } from '../../state/did/request-recovery.ts'
import { stopRecovery } from '../../state/did/stop-recovery.ts'
import { recoveryHashOf } from '../../state/did/types.ts'
import { update } from '../../state/did/update.ts'
import { eventSchema } from '../../state/events.ts'
import type { ReadyTransaction } from '../../state/families.ts'
import type { Kind } from '../../state/family.ts'
import { type Receipt, receiptSchema } from '../../state/receipt.ts'
import { transactionSignedBytes } from '../../state/transaction.ts'
import { actorWith, createHarness, type TestActor, testIssuer, testKey, testPhone, testRegistrar, withKey } from '../support/state-harness.ts'

export function identityVectors(): Json {
  const chain = createHarness()
  const transactions: Json[] = []
  const byItself: Json[] = []
  const block = (...pending: readonly ReadyTransaction[]): readonly Receipt[] => {
    const { height } = chain.next()
    const { outcome, receipts } = chain.execute(...pending)
    if (outcome.events.length > 0) byItself.push({ height, events: outcome.events.map((event) => ({ json: eventSchema.toJson(event), encoded: toHex(encode(eventSchema, event)) })) })
    return receipts
  }
  const send = <P>(kind: Kind<P>, sender: TestActor, payload: NoInfer<P>, cosigners: readonly TestActor[] = []): void => {
    const ready = chain.make(kind, sender, payload, { cosigners })
    const { timeMs } = chain.next()
    const receipt = block(ready)[0] as Receipt
    const schema = kind.payload as Schema<P>
    const { transaction } = ready
    transactions.push({
      kind: kind.kind,
      timeMs,
      payloadJson: schema.toJson(payload),
      payload: toHex(transaction.payload),
      signers: transaction.signatures.map(({ signer, key, signature }) => ({ signer, key: toHex(key), signature: toHex(signature) })),
      signedBytes: toHex(transactionSignedBytes(transaction.body)),
      envelope: toHex(transaction.bytes),
      id: toHex(transaction.id),
      receiptJson: receiptSchema.toJson(receipt),
      receipt: toHex(encode(receiptSchema, receipt)),
    })
  }

  const phone = actorWith(testPhone('phone'))
  const by = (key: ReturnType<typeof testKey>): TestActor => withKey(phone, key)
  const [card, safe, safer, found] = [testKey('card'), testKey('safe'), testPhone('safer'), testPhone('found')]
  const keys = [...phone.keys, { key: card.multikey, relationships: ['authentication', 'assertionMethod'] as const }]
  const services = [{ id: 'home', type: 'LinkedDomains', endpoint: 'https://example.org/' }]
  send(register, phone, { keys: phone.keys, services: [], recovery: recoveryHashOf(safe.multikey) }, [testRegistrar])
  send(register, phone, { keys: phone.keys, services: [] }, [testRegistrar])
  send(update, phone, { baseVersion: 1, keys, services })
  send(update, by(card), { baseVersion: 2, keys: phone.keys, services: [], fromHeight: (chain.next().height + 2) as Height })
  block()
  block()
  send(recover, by(safe), { keys, services, recovery: recoveryHashOf(safer.multikey) })
  send(requestRecovery, testRegistrar, { did: phone.did, keys: [{ key: found.multikey, relationships: ['authentication'] }], services: [] })
  send(stopRecovery, by(card), { did: phone.did })
  send(requestRecovery, testRegistrar, { did: phone.did, keys: [{ key: found.multikey, relationships: ['authentication'] }], services: [] })
  send(completeRecovery, by(found), {})
  chain.advance(86_400_000)
  send(completeRecovery, by(found), {})
  send(deactivate, by(found), {})
  const hash = sha256(utf8('a schema'))
  send(registerIssuer, testIssuer, { scope: '*', name: '부산광역시', website: 'https://example.org/' })
  send(registerSchema, testIssuer, { schema: 'citizenship', version: 1, hash: hash as never, url: 'https://example.org/citizenship-1.json' })
  send(anchor, testIssuer, { hashes: [sha256(utf8('a salted card')) as never, sha256(utf8('another')) as never] })
  send(setStatus, testIssuer, { list: 'citizenship', purpose: 'suspension', indexes: [0, 9, 131_072], status: true })
  send(setStatus, testIssuer, { list: 'citizenship', purpose: 'suspension', indexes: [9], status: false })
  const rows = chain.entries().filter(([key]) => (key.startsWith('did') && key.includes(phone.did)) || key.startsWith('credential.'))
  return { chain: chain.chain, transactions, byItself, rows: rows.map(([key, value]) => ({ key, value: toHex(value) })) }
}
