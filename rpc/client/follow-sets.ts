// Following the validator sets: from those a phone believes to the present ones, each named by a checkpoint that the set before has signed.
import type { Epoch } from '../../consensus/validators.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json } from '../../primitives/schema.ts'
import { chainGetSetChanges } from '../api/chain.ts'
import type { Client } from './client.ts'
import { type Trust, trustNext } from './verify.ts'

/**
 * The trust with every set that the node can show to follow from it; keep it for the next time. A node that hides a change makes later proofs fail to verify, nothing worse.
 * Throws `proof/checkpoint` or `proof/validator-set` when the node shows one that does not follow, and what the call throws.
 */
export async function followValidatorSets(client: Client, trust: Trust): Promise<Trust> {
  let known = trust
  for (;;) {
    const answer = await client.call('chain_getSetChanges', { from: known.epochs.length })
    const { items, next } = chainGetSetChanges.result.fromJson(answer as unknown as Json, '')
    for (const { activation, set, checkpoint } of items) {
      const learnt = trustNext(known, checkpoint, { activation, set } satisfies Epoch)
      if (learnt.epochs.length === known.epochs.length) throw new DongbaekError('proof/validator-set', 'the node shows a set again that is known already')
      known = learnt
    }
    if (next === undefined || items.length === 0) return known
  }
}
