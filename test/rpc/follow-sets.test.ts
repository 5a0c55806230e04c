// A light client that follows three changes of the validator set from the genesis on, and nodes that lie to it about them.
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { epochHash, type Epoch, type ValidatorSet } from '../../consensus/validators.ts'
import { checkpointBytes, type CheckpointContent } from '../../consensus/votes.ts'
import type { Hash, Height } from '../../primitives/brand.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json } from '../../primitives/schema.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { chainGetSetChanges } from '../../rpc/api/chain.ts'
import { type Client, followValidatorSets, trustFromGenesis, verifyCheckpoint } from '../../rpc/client/index.ts'
import type { CheckpointCertificate } from '../../consensus/certificate.ts'
import { mutations } from '../support/lies.ts'

const chain = 'test-0123456789abcdef'
const pairOf = (n: number): ReturnType<typeof keyPairFromSeed> => keyPairFromSeed(new Uint8Array(32).fill(n))
const setOf = (...keys: readonly number[]): ValidatorSet => ({ validators: keys.map((n, i) => ({ name: `validator-${i}`, organisation: i % 2 === 0 ? 'city' : 'bank', publicKey: pairOf(n).publicKey })), minimums: [{ organisation: 'city', minimum: 1 }] })
/** Every set shares but one key with the next, so that after four changes nobody of the first is left: 1 2 3 4, then 5 in the place of 1, and so on. */
const sets = [[1, 2, 3, 4], [5, 2, 3, 4], [5, 6, 3, 4], [5, 6, 7, 4]] as const
const epochs: readonly Epoch[] = sets.map((keys, i) => ({ activation: (i === 0 ? 1 : i * 100) as Height, set: setOf(...keys) }))

/** By the keys given, as if each were at its place in the set. */
function certificate(height: number, next: Epoch, by: readonly number[]): CheckpointCertificate {
  const content: CheckpointContent = { height: height as Height, blockHash: new Uint8Array(32).fill(height) as Hash, stateRoot: new Uint8Array(32) as Hash, nextSet: epochHash(next) }
  return { content, signatures: by.map((n, validator) => ({ validator, signature: sign(checkpointBytes(chain, content), pairOf(n)) })) }
}

type Change = Epoch & { readonly number: number; readonly checkpoint: CheckpointCertificate }
const truth: readonly Change[] = epochs.slice(1).map((epoch, i) => ({ ...epoch, number: i + 1, checkpoint: certificate(epoch.activation - 5, epoch, sets[i]!.slice(0, 3)) }))

/** A node that answers with these, two at a time. */
function node(changes: readonly Change[]): Client {
  const call = async (method: string, { from }: { readonly from: number }): Promise<unknown> => {
    t.equal(method, 'chain_getSetChanges')
    const items = changes.slice(from - 1, from + 1)
    return chainGetSetChanges.result.toJson({ items, ...(from + 1 < changes.length ? { next: from + 2 } : {}) })
  }
  return { call } as unknown as Client
}

const trust = trustFromGenesis(chain, epochs[0]!.set)
const changed = (at: number, change: Partial<Change>): readonly Change[] => truth.map((one, i) => (i === at ? { ...one, ...change } : one))

t.test('three changes are followed, and only then the last set is believed', async (t) => {
  const learnt = await followValidatorSets(node(truth), trust)
  t.same(learnt.epochs, epochs)
  const late = certificate(400, epochs[3]!, [5, 6, 7])
  verifyCheckpoint(learnt, late)
  t.throws(() => verifyCheckpoint(trust, late), { code: 'proof/checkpoint' })
  t.throws(() => verifyCheckpoint(learnt, certificate(400, epochs[3]!, [1, 2, 3])), { code: 'proof/checkpoint' }, 'those who were removed have no say')
  // what was followed before is kept: the rest is learnt from there
  const half = await followValidatorSets(node(truth.slice(0, 1)), trust)
  t.equal(half.epochs.length, 2)
  t.same((await followValidatorSets(node(truth), half)).epochs, epochs)
})

t.test('a node that lies about a set is found out', async (t) => {
  const own = setOf(21, 22, 23, 24)
  const lies: readonly (readonly [string, readonly Change[], string])[] = [
    ['another set than the certificate names', changed(1, { set: own }), 'proof/validator-set'],
    ['another height', changed(1, { activation: 150 as Height }), 'proof/validator-set'],
    ['a set of its own, which it signs itself', changed(0, { set: own, checkpoint: certificate(95, { activation: 100 as Height, set: own }, [21, 22, 23]) }), 'proof/checkpoint'],
    ['too few of the set before', changed(2, { checkpoint: certificate(295, epochs[3]!, [5, 6]) }), 'proof/checkpoint'],
    ['those who were removed two sets ago', changed(2, { checkpoint: certificate(295, epochs[3]!, [1, 2, 3]) }), 'proof/checkpoint'],
    ['a change left out', [truth[0]!, truth[2]!], 'proof/checkpoint'],
    ['the same again and again', [truth[0]!, truth[0]!, truth[0]!], 'proof/validator-set'],
    ['a certificate of another chain', changed(0, { checkpoint: { ...truth[0]!.checkpoint, content: { ...truth[0]!.checkpoint.content, height: 94 as Height } } }), 'proof/checkpoint'],
  ]
  for (const [what, changes, code] of lies) await t.rejects(followValidatorSets(node(changes), trust), { code }, what)
})

t.test('a liar who changes any byte or field of a page of sets is found out; what is left out of its end is learnt later', async (t) => {
  const pages = [{ items: truth.slice(0, 2), next: 3 }, { items: truth.slice(2) }].map((page) => chainGetSetChanges.result.toJson(page as never))
  const learntOf = async (told: readonly Json[]): Promise<readonly Epoch[]> => (await followValidatorSets({ call: async (_method: string, { from }: { readonly from: number }) => told[from === 1 ? 0 : 1] } as unknown as Client, trust)).epochs
  t.same(await learntOf(pages), epochs)
  const wrong: string[] = []
  let tried = 0
  for (const at of pages.keys()) {
    for (const changed of mutations(pages[at]!)) {
      tried++
      try {
        const learnt = await learntOf(pages.with(at, changed))
        if (!isDeepStrictEqual(learnt, epochs.slice(0, learnt.length))) wrong.push(JSON.stringify(changed))
      } catch (thrown) {
        if (!(thrown instanceof DongbaekError)) wrong.push(`${String(thrown)} for ${JSON.stringify(changed)}`)
      }
    }
  }
  t.ok(tried > 2_000, `${tried} lies`)
  t.same(wrong.slice(0, 3), [])
})
