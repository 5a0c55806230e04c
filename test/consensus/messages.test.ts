// What a replica takes from others: every message, with every one of its fields under a signature or bound by one.
import t from 'tap'
import type { Decision } from '../../consensus/certificate.ts'
import { decodeMessage, encodeMessage, type Message } from '../../consensus/messages.ts'
import { checksOf, decisionChecks, verifyDecision } from '../../consensus/verification.ts'
import { Bench, chain, genesis } from './bench.ts'

/** A life that makes every kind of message: blocks, a view change with prepared blocks in it, more blocks. */
function everyKind(): { readonly bench: Bench; readonly messages: Map<Message['type'], Message>; readonly decision: Decision } {
  const bench = new Bench(4, { pipelineDepth: 2 })
  bench.work(2)
  // Two more blocks get prepared, but no Commit arrives; so the view is changed with something to show.
  bench.work(2, ({ message }) => message.type !== 'commit')
  bench.expire('view', [0, 1, 2, 3])
  const messages = new Map<Message['type'], Message>()
  for (const replica of bench.replicas) {
    for (const message of replica.sent) {
      const known = messages.get(message.type)
      const isRicher = message.type === 'view-change' && known?.type === 'view-change' && (message.prepared.length > known.prepared.length || (message.base !== undefined && known.base === undefined))
      if (known === undefined || isRicher || (message.type === 'new-view' && message.adopted.length > 0)) messages.set(message.type, message)
    }
  }
  const stable = bench.at(0).outputs.flatMap((output) => output.certified)[0]
  if (stable !== undefined) messages.set('certified', { type: 'certified', certificate: stable })
  const decision = bench.at(1).delivered[0] as Decision
  return { bench, messages, decision }
}

/** Every value that differs from `value` in one leaf, each with the path to it. */
function* mutations(value: unknown, path: string): Generator<{ readonly path: string; readonly value: unknown }> {
  if (typeof value === 'number') {
    yield { path, value: value + 1 }
    if (value > 0) yield { path, value: value - 1 }
  } else if (value instanceof Uint8Array) {
    for (const at of [0, value.length - 1]) {
      if (value.length === 0) continue
      const copy = Uint8Array.from(value)
      copy[at] = (copy[at] as number) ^ 1
      yield { path, value: copy }
    }
    yield { path: `${path} (shorter)`, value: value.slice(0, -1) }
  } else if (typeof value === 'string') yield { path, value: `${value}x` }
  else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) for (const inner of mutations(value[i], `${path}[${i}]`)) yield { path: inner.path, value: value.with(i, inner.value) }
    if (value.length > 0) yield { path: `${path} (one less)`, value: value.slice(0, -1) }
    if (value.length > 0) yield { path: `${path} (one twice)`, value: [...value, value[0]] }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, field] of Object.entries(value)) {
      if (key === 'type') continue
      for (const inner of mutations(field, path === '' ? key : `${path}.${key}`)) yield { path: inner.path, value: { ...value, [key]: inner.value } }
    }
    if ('base' in value) {
      const { base: _, ...rest } = value
      yield { path: `${path}.base (left out)`, value: rest }
    }
  }
}

const { bench, messages, decision } = everyKind()
const kinds = ['pre-prepare', 'prepare', 'commit', 'checkpoint', 'view-change', 'new-view', 'status', 'certified'] as const

t.test('every kind goes over the wire and back, and is taken', (t) => {
  t.same([...messages.keys()].sort(), [...kinds].sort())
  for (const message of messages.values()) {
    const bytes = encodeMessage(message)
    t.same(encodeMessage(decodeMessage(bytes)), bytes, message.type)
    t.ok(bench.verified(3, decodeMessage(bytes)), `${message.type} is taken`)
    t.throws(() => decodeMessage(bytes.subarray(0, -1)))
    t.throws(() => decodeMessage(Uint8Array.from([...bytes, 0])))
  }
  const change = messages.get('view-change')
  t.ok(change?.type === 'view-change' && change.base !== undefined && change.prepared.length > 0, 'the view change has something to show')
  t.end()
})

t.test('sawtooth-pbft: signer, type or seal not checked. A change in any field of any message makes it refused', (t) => {
  const counts: Record<string, number> = {}
  for (const [kind, message] of messages) {
    for (const { path, value } of mutations(message, '')) {
      counts[kind] = (counts[kind] ?? 0) + 1
      let taken = false
      try {
        taken = bench.verified(3, decodeMessage(encodeMessage(value as Message))) !== undefined
      } catch {
        taken = false
      }
      // The manifest is bound by the payload hash in the header instead of the signature; the replica checks it before anything else.
      if (kind === 'pre-prepare' && path.startsWith('manifest')) {
        t.ok(message.type === 'pre-prepare' && !bench.configOf(3).bindsManifest(message.header, (value as typeof message).manifest), path)
      } else t.notOk(taken, `${kind}: ${path}`)
    }
  }
  t.comment(`mutations refused: ${JSON.stringify(counts)}`)
  t.end()
})

t.test('a message of one kind is no message of another', (t) => {
  const prepare = messages.get('prepare') as Message
  const commit = messages.get('commit') as Message
  t.notOk(bench.verified(3, { ...prepare, type: 'commit' } as Message))
  t.notOk(bench.verified(3, { ...commit, type: 'prepare' } as Message))
  t.end()
})

t.test('nothing of another chain is taken', (t) => {
  for (const message of messages.values()) {
    const checks = checksOf(message, { chain: 'another', genesis, schedule: bench.at(3).replica.schedule() })
    if (!checks.ok) continue
    const own = checksOf(message, { chain, genesis, schedule: bench.at(3).replica.schedule() })
    t.ok(own.ok && own.checks.every((check, i) => Buffer.compare(check.bytes, checks.checks[i]?.bytes ?? check.bytes) !== 0), `${message.type}: other bytes are signed`)
  }
  t.end()
})

t.test('a final block from a peer: any change is refused', (t) => {
  const context = { chain, genesis, schedule: bench.at(3).replica.schedule() }
  const verify = (one: Decision) => verifyDecision(one, context, (check) => bench.isSigned(check))
  t.ok(verify(decision))
  for (const { path, value } of mutations(decision, '')) {
    let taken = false
    try {
      taken = verify(value as Decision) !== undefined
    } catch {
      taken = false
    }
    t.notOk(taken, path)
  }
  t.end()
})

t.test('what is about unknown heights is nobody\'s fault, and what no correct validator makes is', (t) => {
  const context = { chain, genesis, schedule: bench.at(3).replica.schedule() }
  const prepare = messages.get('prepare')
  if (prepare?.type !== 'prepare') throw new Error('no prepare')
  t.match(checksOf({ ...prepare, height: 1_000 as typeof prepare.height }, context), { ok: false, code: 'unknown-set' })
  t.match(checksOf({ ...prepare, validator: 9 }, context), { ok: false, code: 'malformed' })
  t.match(checksOf({ ...prepare, validator: prepare.view % 4 }, context), { ok: false, code: 'malformed' }, 'a primary prepares by its PrePrepare')
  t.match(decisionChecks({ ...decision, header: { ...decision.header, chain: 'another' } }, context), { ok: false, code: 'malformed' })
  t.end()
})
