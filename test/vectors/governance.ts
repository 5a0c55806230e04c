// Vectors of governance: every kind of transaction and every action once, with its payload, its receipt, what blocks said by themselves, and the rows at the end.
import type { Height, TimeMs } from '../../primitives/brand.ts'
import { toHex } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import type { Json } from '../../primitives/schema.ts'
import { eventSchema } from '../../state/events.ts'
import type { Kind } from '../../state/family.ts'
import { grantRole } from '../../state/governance/grant-role.ts'
import { propose } from '../../state/governance/propose.ts'
import { revokeRole } from '../../state/governance/revoke-role.ts'
import type { Action } from '../../state/governance/types.ts'
import { vote } from '../../state/governance/vote.ts'
import { type Receipt, receiptSchema } from '../../state/receipt.ts'
import { createHarness, genesisTimeMs, testActor, type TestActor, testFounding, testGovernors, testKey } from '../support/state-harness.ts'

const { city, bank } = testGovernors
const [officer, shop, deputy] = ['officer', 'shop', 'deputy'].map((name) => testActor(name)) as [TestActor, TestActor, TestActor]
const expiresMs = (genesisTimeMs + 86_400_000) as TimeMs

export function governanceVectors(): Json {
  const chain = createHarness({ actors: [shop, deputy], roles: [[officer, 'officer', '*']] })
  const transactions: Json[] = []
  const byItself: Json[] = []
  const send = <P>(kind: Kind<P>, sender: TestActor, payload: NoInfer<P>): Receipt => {
    const { timeMs } = chain.next()
    const { receipts, outcome } = chain.execute(chain.make(kind, sender, payload))
    const receipt = receipts[0] as Receipt
    if (outcome.events.length > 0) byItself.push({ height: outcome.height, timeMs, events: outcome.events.map((event) => ({ json: eventSchema.toJson(event), encoded: toHex(encode(eventSchema, event)) })) })
    transactions.push({ kind: kind.kind, sender: sender.did, timeMs, payloadJson: kind.payload.toJson(payload), payload: toHex(encode(kind.payload, payload)), receiptJson: receiptSchema.toJson(receipt), receipt: toHex(encode(receiptSchema, receipt)) })
    return receipt
  }
  let proposals = 0
  const decide = (action: Action, evidence?: Uint8Array): void => {
    send(propose, city, { action, expiresMs, ...(evidence === undefined ? {} : { evidence }) })
    proposals++
    for (const governor of [city, bank]) send(vote, governor, { proposal: proposals, vote: 'yes' })
  }

  send(grantRole, officer, { did: shop.did, role: 'merchant', scope: 'youth-pass', untilMs: expiresMs })
  send(grantRole, shop, { did: shop.did, role: 'governor', scope: 'city' })
  send(revokeRole, officer, { did: shop.did, role: 'merchant', scope: 'youth-pass' })
  decide({ type: 'grantRole', did: deputy.did, role: 'governor', scope: 'city' })
  decide({ type: 'setParameters', parameters: { recoveryWaitMs: 604_800_000 } })
  // two governors of the city: one yes is no majority, and one no ends it
  send(vote, deputy, { proposal: proposals, vote: 'yes' })
  decide({ type: 'pauseFamily', family: 'community' })
  send(vote, deputy, { proposal: proposals, vote: 'no' })
  decide({ type: 'revokeRole', did: deputy.did, role: 'governor', scope: 'city' })
  send(vote, deputy, { proposal: proposals, vote: 'yes' })
  decide(
    {
      type: 'changeValidators',
      changes: [
        { type: 'add', name: 'validator-4', organisation: 'city', publicKey: testKey('validator 4').multikey.slice(-32), addresses: ['10.0.0.4:26600'] },
        { type: 'setMinimum', organisation: 'city', minimum: 2 },
      ],
    },
    Uint8Array.of(1, 2, 3),
  )
  decide({ type: 'setAddresses', name: 'validator-4', addresses: ['node4.busan.example:26600', '[::1]:26600'] })
  for (let i = 0; i < testFounding.window; i++) chain.execute()
  decide({ type: 'changeValidators', changes: [{ type: 'replaceKey', name: 'validator-1', publicKey: testKey('validator 1, again').multikey.slice(-32) }, { type: 'setMinimum', organisation: 'city', minimum: 1 }] })
  decide({ type: 'changeValidators', changes: [{ type: 'remove', name: 'validator-4' }] })
  decide({ type: 'setReservations', settings: { holdMs: 300_000, absencesMax: 2 } })
  decide({ type: 'setCommunity', settings: { postsPerWindow: 5 } })
  decide({ type: 'activateRules', version: 2, fromHeight: 1_000_000 as Height })
  decide({ type: 'pauseFamily', family: 'points' })
  decide({ type: 'resumeFamily', family: 'points' })
  decide({ type: 'resumeFamily', family: 'points' })
  return { chain: chain.chain, transactions, byItself, rows: chain.entries().filter(([key]) => key.startsWith('governance.')).map(([key, value]) => ({ key, value: toHex(value) })) }
}
