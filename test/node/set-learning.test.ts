// A node far behind learns the sets from peers before it believes a certificate of today; peers that lie are blamed and teach nothing.
import t from 'tap'
import type { CheckpointCertificate } from '../../consensus/certificate.ts'
import { type Epoch, epochHash, scheduleOf } from '../../consensus/validators.ts'
import { farCheckpointChecks } from '../../consensus/verification.ts'
import { checkpointBytes, type CheckpointContent } from '../../consensus/votes.ts'
import type { Hash, Height } from '../../primitives/brand.ts'
import { keyPairFromSeed, sign, verify } from '../../primitives/ed25519.ts'
import { decodeFetchQuestion, encodeSetsAnswer, type SetChange } from '../../node/exchange.ts'
import { silentLog } from '../../node/log.ts'
import { createSetLearning, type SetLearning } from '../../node/set-learning.ts'

const chainId = 'test-0123456789abcdef'
const pairOf = (n: number): ReturnType<typeof keyPairFromSeed> => keyPairFromSeed(new Uint8Array(32).fill(n))
const members = [[1, 2, 3, 4], [5, 2, 3, 4], [5, 6, 3, 4], [5, 6, 7, 4]] as const
const epochs: readonly Epoch[] = members.map((keys, i) => ({
  activation: (i === 0 ? 1 : i * 100) as Height,
  set: { validators: keys.map((n, at) => ({ name: `validator-${at}`, organisation: 'busan', publicKey: pairOf(n).publicKey })), minimums: [] },
}))

function certificate(height: number, next: Epoch, by: readonly number[]): CheckpointCertificate {
  const content: CheckpointContent = { height: height as Height, blockHash: new Uint8Array(32) as Hash, stateRoot: new Uint8Array(32) as Hash, nextSet: epochHash(next) }
  return { content, signatures: by.map((n, validator) => ({ validator, signature: sign(checkpointBytes(chainId, content), pairOf(n)) })) }
}

const truth: readonly SetChange[] = epochs.slice(1).map((epoch, i) => ({ ...epoch, certificate: certificate(epoch.activation - 5, epoch, members[i]!.slice(0, 3)) }))

function learner(answers: Readonly<Record<string, readonly SetChange[]>>): { readonly learning: SetLearning; readonly blamed: string[] } {
  const blamed: string[] = []
  const learning = createSetLearning({
    chainId,
    schedule: () => scheduleOf([epochs[0]!], 10 as Height, 8),
    transport: {
      request: async (peer, _, encoded) => {
        const question = decodeFetchQuestion(encoded)
        if (question.type !== 'sets') throw new Error(question.type)
        // two at a time
        return encodeSetsAnswer((answers[peer] ?? []).slice(question.from - 1, question.from + 1))
      },
      blame: (peer) => void blamed.push(peer),
    },
    verifier: { verifyBatch: async (items) => items.map(({ publicKey, message, signature }) => verify(signature, message, publicKey)) },
    log: silentLog,
  })
  return { learning, blamed }
}

t.test('three sets are learnt, and a certificate of the last is believed then', async (t) => {
  const { learning, blamed } = learner({ honest: truth, late: truth.slice(0, 1), new: [] })
  const far = certificate(900, epochs[3]!, [5, 6, 7])
  const check = (): ReturnType<typeof farCheckpointChecks> => farCheckpointChecks(far, { chain: chainId, schedule: learning.schedule() })
  t.match(check(), { ok: false, code: 'unknown-set' })
  t.equal(await learning.learnFrom('new'), false)
  t.equal(await learning.learnFrom('late'), true)
  t.match(check(), { ok: false, code: 'unknown-set' })
  t.equal(await learning.learnFrom('honest'), true)
  t.match(check(), { ok: true })
  t.same(learning.schedule().epochs, epochs)
  t.equal(await learning.learnFrom('honest'), false)
  t.same(blamed, [])
})

t.test('a set that does not follow is blamed', async (t) => {
  const own: Epoch = { activation: 100 as Height, set: epochs[3]!.set }
  const lies: readonly (readonly SetChange[])[] = [
    [{ ...own, certificate: certificate(95, own, [5, 6, 7]) }],
    [{ ...truth[0]!, set: own.set }],
    [{ ...truth[0]!, certificate: certificate(95, epochs[1]!, [1, 2]) }],
    [{ ...truth[0]!, certificate: certificate(100, epochs[1]!, [1, 2, 3]) }],
    [truth[0]!, truth[0]!],
  ]
  for (const lie of lies) {
    const { learning, blamed } = learner({ liar: lie })
    await learning.learnFrom('liar')
    t.same(blamed, ['liar'])
    t.equal(learning.schedule().epochs.length, 1)
  }
})
