// Quorums for every number of validators, and the vocabulary around them.
import t from 'tap'
import { alternateOrganisations } from '../../primitives/turns.ts'
import { epochAt, extendSchedule, scheduleOf, validatorSet, type Epoch, type Validator } from '../../consensus/validators.ts'
import { faultsTolerated, isQuorum, quorumSize, weakQuorumSize } from '../../consensus/quorum.ts'
import { signersFormQuorum } from '../../consensus/certificate.ts'
import { validatorsMax } from '../../primitives/limits.ts'
import type { Height } from '../../primitives/brand.ts'
import { decode, encode } from '../../primitives/codec.ts'

const member = (index: number, organisation: string): Validator => ({ name: `v${index}`, organisation, publicKey: new Uint8Array(32).fill(index + 1) })

t.test('celo-blockchain #253: quorum 2f+1 taken for n ≠ 3f+1. Any two quorums share f + 1, for every n', (t) => {
  for (let n = 1; n <= validatorsMax; n++) {
    const f = faultsTolerated(n)
    const q = quorumSize(n)
    t.ok(3 * f < n && 3 * (f + 1) >= n, `n = ${n}: f = ${f} is the most below a third`)
    t.ok(2 * q - n >= f + 1, `n = ${n}: two quorums of ${q} share at least ${f + 1}`)
    t.ok(q <= n - f, `n = ${n}: the correct ones suffice`)
    t.ok(2 * (q - 1) - n < f + 1, `n = ${n}: one less would not do`)
    t.equal(weakQuorumSize(n), f + 1)
  }
  t.equal(quorumSize(4), 3)
  t.equal(quorumSize(8), 6)
  t.end()
})

t.test('organisation minimums come on top of the quorum', (t) => {
  const validators = [member(0, 'city'), member(1, 'bank'), member(2, 'city'), member(3, 'bank'), member(4, 'city'), member(5, 'city'), member(6, 'city')]
  const set = { validators, minimums: [{ organisation: 'bank', minimum: 2 }] }
  t.equal(quorumSize(7), 5)
  t.notOk(isQuorum(set, new Set([0, 2, 4, 5, 6])), 'the city alone is a quorum in number, and finalises nothing')
  t.notOk(isQuorum(set, new Set([0, 1, 2, 4, 5])))
  t.ok(isQuorum(set, new Set([0, 1, 2, 3, 4])))
  t.notOk(isQuorum(set, new Set([0, 1, 2, 3])), 'the minimums replace no quorum')
  t.end()
})

t.test('with minimums of two thirds and one, two certificates share a member of each organisation that is not one of its own liars', (t) => {
  for (let members = 1; members <= 32; members++) {
    const least = Math.floor((2 * members) / 3) + 1
    const liars = Math.ceil(members / 3) - 1
    t.ok(2 * least - members > liars, `${members} members`)
  }
  t.end()
})

t.test('signers of a certificate are distinct, ascending and members', (t) => {
  const set = { validators: [0, 1, 2, 3].map((i) => member(i, 'city')), minimums: [] }
  const by = (...indexes: number[]) => indexes.map((validator) => ({ validator, signature: new Uint8Array(64) }))
  t.ok(signersFormQuorum(set, by(0, 1, 3)))
  t.notOk(signersFormQuorum(set, by(0, 1, 1)))
  t.notOk(signersFormQuorum(set, by(0, 3, 1)))
  t.notOk(signersFormQuorum(set, by(0, 1, 4)))
  t.notOk(signersFormQuorum(set, by(0, 1)))
  t.end()
})

t.test('a validator set says what it must', (t) => {
  const good = { validators: [member(0, 'city'), member(1, 'bank')], minimums: [{ organisation: 'bank', minimum: 1 }] }
  const bytes = encode(validatorSet, good)
  t.same(decode(validatorSet, bytes, 10_000), good)
  const bad = [
    { ...good, validators: [] },
    { ...good, validators: [member(0, 'city'), { ...member(1, 'bank'), name: 'v0' }] },
    { ...good, validators: [member(0, 'city'), { ...member(1, 'bank'), publicKey: member(0, 'city').publicKey }] },
    { ...good, minimums: [{ organisation: 'bank', minimum: 2 }] },
    { ...good, minimums: [{ organisation: 'port', minimum: 1 }] },
    { ...good, minimums: [{ organisation: 'bank', minimum: 1 }, { organisation: 'bank', minimum: 1 }] },
  ]
  for (const set of bad) t.throws(() => encode(validatorSet, set), { code: 'codec/invalid' })
  t.same(alternateOrganisations([member(0, 'city'), member(1, 'city'), member(2, 'city'), member(3, 'bank'), member(4, 'bank')]).map((one) => one.name), ['v0', 'v3', 'v1', 'v4', 'v2'])
  t.end()
})

t.test('sets are known up to a window above what is executed, and unknown beyond', (t) => {
  const epoch = (activation: number, n: number): Epoch => ({ activation: activation as Height, set: { validators: Array.from({ length: n }, (_, i) => member(i, 'city')), minimums: [] } })
  const start = scheduleOf([epoch(1, 4)], 0 as Height, 8)
  t.equal(epochAt(start, 9 as Height)?.activation, 1)
  t.equal(epochAt(start, 10 as Height), undefined)
  const next = epoch(12, 5)
  const later = extendSchedule(start, 3 as Height, 8, next)
  t.equal(epochAt(later, 11 as Height)?.activation, 1)
  t.equal(epochAt(later, 12 as Height), next)
  t.equal(epochAt(later, 13 as Height), undefined)
  t.equal(extendSchedule(later, 3 as Height, 8, next).epochs.length, 2, 'told twice, scheduled once')
  t.throws(() => extendSchedule(start, 4 as Height, 8, epoch(12, 5)), /leaves every open slot its set/)
  t.throws(() => extendSchedule(later, 4 as Height, 8, epoch(13, 5)) && extendSchedule(later, 1 as Height, 8, epoch(11, 5)), /come in order/)
  t.end()
})
