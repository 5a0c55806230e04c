// A city over the real execution and over the reference model at once: every block is run by both, and they must agree on every receipt, event and row.
import { equalBytes, toHex as hex, utf8 } from '../../primitives/bytes.ts'
import type { TimeMs } from '../../primitives/brand.ts'
import { encode } from '../../primitives/codec.ts'
import { assert } from '../../primitives/errors.ts'
import { taggedHash } from '../../primitives/hash.ts'
import type { Schema } from '../../primitives/schema.ts'
import type { Attestation, UnsignedAttestation } from '../../state/credential/attestation.ts'
import type { Executed } from '../../state/execute.ts'
import { kinds, readyTransaction, type ReadyTransaction } from '../../state/families.ts'
import type { Event } from '../../state/family.ts'
import { reservationsSet } from '../../state/governance/events.ts'
import type { Settings } from '../../state/reservation/types.ts'
import type { RoleName } from '../../state/roles.ts'
import { decodeTransaction, encodeBody, encodeTransaction } from '../../state/transaction.ts'
import { westArea } from '../support/living-area.ts'
import { createHarness, genesisTimeMs, testActor, type Harness, type HarnessOptions, type TestActor, testIssuer } from '../support/state-harness.ts'
import { cityWide } from '../../state/community/types.ts'
import { boards, communitySettings, otherActors, otherRoles } from './others.ts'
import { checkRows } from './rows.ts'
import { runBlock } from './model.ts'
import { dayMs, hourMs, plain, type World } from './world.ts'

export const people = Array.from({ length: 14 }, (_, i) => testActor(`citizen ${i}`))
/** Not registered at all. */
export const nobody = testActor('nobody')
export const officer = testActor('officer')
export const second = testActor('second officer')
/** Of the programme `plain` alone. */
export const localOfficer = testActor('local officer')
export const bank = testActor('bank')
/** Of the programme `capped` alone. */
export const teller = testActor('teller')
export const shops = ['bookshop', 'theatre', 'academy', 'stationer'].map((name) => testActor(`shop ${name}`))
export const operator = testActor('operator of all')
export const westOperator = testActor('operator of the west')
export const libraryOperator = testActor('operator of libraries')
export const notaries = [testActor('notary of the bank'), testActor('notary of the city')]
/** An issuer for the programme `plain` and the course `ballet` alone. */
export const smallIssuer = testActor('small issuer')
export const categories = ['bookshop', 'theatre', 'academy']
export const settings = { holdMs: 10 * 60_000, offerMs: 6 * hourMs, absencesMax: 2, absenceWindowMs: 10 * dayMs, blockMs: 8 * dayMs }

const roles: readonly (readonly [TestActor, RoleName, string])[] = [
  [officer, 'officer', '*'],
  [second, 'officer', '*'],
  [localOfficer, 'officer', 'plain'],
  [bank, 'settler', '*'],
  [teller, 'settler', 'capped'],
  [operator, 'operator', '*'],
  [westOperator, 'operator', 'west'],
  [libraryOperator, 'operator', 'libraries'],
  [smallIssuer, 'issuer', 'plain'],
  [smallIssuer, 'issuer', 'ballet'],
]
const facilities = [
  { id: 'hall', livingArea: 'west' },
  { id: 'library', livingArea: 'west', operatorScope: 'libraries' },
]
/** The status list of the issuer, and the entries in it that are withdrawn. */
export const withdrawn = { list: 'cards', indexes: [3, 9_000] }

export interface Wish {
  readonly sender: TestActor
  readonly kind: string
  readonly payload: unknown
  readonly cosigners?: readonly TestActor[]
  readonly validForMs?: number
  readonly chain?: string
}

export interface CityOptions {
  /** Citizens beyond those who are always there. */
  readonly crowdSize?: number
  /** Told of every code and event. */
  readonly onResult: (what: string) => void
  /** Told of every block. */
  readonly onBlock?: (transactions: readonly ReadyTransaction[], executed: Executed) => void
}

export interface City {
  readonly world: World
  readonly harness: Harness
  readonly crowd: readonly TestActor[]
  readonly advance: (ms: number) => void
  readonly make: (wish: Wish) => ReadyTransaction
  /** Runs a block on both; throws where they differ. */
  readonly block: (transactions: readonly ReadyTransaction[]) => void
  readonly attest: (issuer: TestActor, statement: Omit<UnsignedAttestation, 'issuer' | 'key'>, key?: Uint8Array) => Attestation
  readonly actorOf: (did: string) => TestActor
}

const attestations = new Map<string, Attestation>()

export function createCity({ crowdSize = 0, onResult, onBlock }: CityOptions): City {
  const crowd = Array.from({ length: crowdSize }, (_, i) => testActor(`crowd ${i}`))
  const actors = [...people, officer, second, localOfficer, bank, teller, ...shops, operator, westOperator, libraryOperator, ...notaries, smallIssuer, ...crowd]
  const byDid = new Map([...actors, ...otherActors, nobody, testIssuer].map((each) => [each.did as string, each]))
  const options: HarnessOptions = {
    genesis: {
      reservation: { livingAreas: [westArea], facilities: facilities.map((each) => ({ ...each, category: 'lecture', title: { ko: '강당' }, position: westArea.centre })), settings },
      community: { boards: boards.map(({ board, open }) => ({ livingArea: cityWide, board, title: { ko: '게시판', en: board }, open })), settings: communitySettings },
    },
    actors: [...actors, ...otherActors],
    roles: [...roles, ...otherRoles],
  }
  const harness = createHarness(options)
  // another node that pauses within its blocks, and now and then starts anew
  const other = createHarness({ ...options, stepTransactions: 3 })
  const world = createWorld(harness, actors)
  let salts = 0
  const make: City['make'] = ({ sender, kind, payload, cosigners = [], validForMs = 60_000, chain = harness.chain }) => {
    const definition = kinds.get(kind)
    assert(definition !== undefined, `the kind ${kind}`)
    const salt = new Uint8Array(16)
    new DataView(salt.buffer).setUint32(4, ++salts)
    const others = cosigners.filter(({ did }, i) => did !== sender.did && cosigners.findIndex((each) => each.did === did) === i)
    const signers = [sender, ...[...others].sort((a, b) => (a.did < b.did ? -1 : 1))].map(({ did, multikey }) => ({ did, key: multikey }))
    const body = encodeBody({ version: 1, chain, kind, signers, validUntilMs: (harness.next().timeMs + validForMs) as TimeMs, salt, payload: encode(definition.payload as unknown as Schema<unknown>, payload) })
    // signatures are judged before execution, so none is made here
    return readyTransaction(decodeTransaction(encodeTransaction(body, signers.map(() => new Uint8Array(64)))))
  }
  const block: City['block'] = (transactions) => {
    const { height, timeMs } = harness.next()
    const executed = harness.execute(...transactions)
    if (height % 40 === 0) other.restart()
    const again = other.execute(...transactions)
    assert(equalBytes(executed.stateRoot, again.stateRoot) && equalBytes(executed.receiptsRoot, again.receiptsRoot), `block ${height} comes to the same roots twice`)
    const expected = runBlock(world, { height, timeMs, hash: taggedHash('test-block', utf8(String(height))), transactions, settings: settingsOf(executed) })
    const same = (what: string, actual: unknown, should: unknown): void => {
      if (plain(actual) !== plain(should)) throw new Error(`block ${height}, ${what}\n  state ${plain(actual)}\n  model ${plain(should)}`)
    }
    same('its own events', executed.outcome.events.filter(({ type }) => /^(?:points|reservation)\./.test(type)), expected.events)
    for (const { type } of executed.outcome.events) onResult(`by the chain: ${type}`)
    executed.receipts.forEach(({ status, code, events }, i) => {
      const { kind, payload } = transactions[i] as ReadyTransaction
      const should = expected.receipts[i]
      if (should !== undefined) same(`transaction ${i} ${kind.kind} ${plain(payload)}`, { status, code, events }, should)
      onResult(`${kind.kind} ${status}`)
      if (code !== undefined) onResult(code)
      for (const { type } of events) onResult(type)
    })
    checkRows(world, harness, executed.changes)
    onBlock?.(transactions, executed)
  }
  const attest: City['attest'] = (issuer, statement, key = issuer.multikey) => {
    const named = plain({ issuer: issuer.did, key, ...statement })
    let made = attestations.get(named)
    if (made === undefined) {
      made = { ...harness.attest({ ...issuer, multikey: key }, statement) }
      attestations.set(named, made)
    }
    world.signed.set(hex(made.signature), plain({ ...made, signature: undefined }))
    return made
  }
  const advance = (ms: number): void => {
    harness.advance(ms)
    other.advance(ms)
  }
  const actorOf = (did: string): TestActor => {
    const found = byDid.get(did)
    assert(found !== undefined, `the actor ${did}`)
    return found
  }
  return { world, harness, crowd, advance, make, block, attest, actorOf }
}

function settingsOf({ receipts }: Executed): ReadonlyMap<number, Settings> {
  return new Map(receipts.flatMap(({ index, events }) => events.flatMap((each) => (each.type === reservationsSet.type ? [[index, (each as Event & { readonly settings: Settings }).settings] as const] : []))))
}

function createWorld(harness: Harness, actors: readonly TestActor[]): World {
  const all = [...actors, testIssuer]
  return {
    chain: harness.chain,
    validityMs: 3_600_000,
    nowMs: genesisTimeMs,
    height: 0,
    blockHash: new Uint8Array(32),
    told: [],
    roles: [...roles.map(([holder, role, scope]) => ({ did: holder.did, role, scope })), { did: testIssuer.did, role: 'issuer', scope: '*' }],
    people: new Set(all.map(({ did }) => did)),
    activeDids: new Set(all.map(({ did }) => did)),
    ran: new Set(),
    signed: new Map(),
    assertionKeys: new Set(all.map(({ did, multikey }) => `${did} ${hex(multikey)}`)),
    statuses: new Map([[withdrawn.list, { issuer: testIssuer.did, withdrawn: new Set(withdrawn.indexes) }]]),
    merchants: new Map(),
    programs: new Map(),
    books: new Map(),
    purchases: new Map(),
    purchasesOf: new Map(),
    settlements: new Set(),
    repayments: new Set(),
    paid: new Map(),
    due: [],
    dueOrder: 0,
    livingAreas: new Set([westArea.id]),
    facilities: new Map(facilities.map(({ id, livingArea, operatorScope }) => [id, { id, livingArea, operatorScope, isClosed: false, closedDays: new Set() }])),
    courses: new Map(),
    slots: new Map(),
    absences: new Map(),
    settings,
    tasks: [],
    taskOrder: 0,
  }
}
