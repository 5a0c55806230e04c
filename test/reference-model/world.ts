// The reference model: the points and reservation families a second time, naively, from docs/points.md and docs/transactions.md. Plain lists and maps,
// sums counted anew whenever one is asked for. It shares encodings, types and hashing with state/, and no rule.
import { toHex as hex } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import type { Attestation } from '../../state/credential/attestation.ts'
import type { ProgramTerms } from '../../state/points/types.ts'
import type { Settings, SlotDefinition } from '../../state/reservation/types.ts'

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

/** The day in Korea (UTC+09:00), counted from 1 January 1970. */
export const koreanDay = (ms: number): number => Math.floor((ms + 9 * hourMs) / dayMs)
/** The midnight in Korea at which a day begins. */
export const midnight = (day: number): number => day * dayMs - 9 * hourMs
/** `2026-05` of a day in Korea. */
export const koreanMonth = (ms: number): string => new Date(ms + 9 * hourMs).toISOString().slice(0, 7)

export interface Told {
  readonly type: string
  readonly [field: string]: unknown
}

export interface Order {
  readonly id: string
  readonly kind: string
  readonly sender: string
  readonly signers: readonly string[]
  readonly payload: never
}

/** A rule said no. */
export class Refused extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

export function refuse(code: string): never {
  throw new Refused(code)
}

export function must(condition: boolean, code: string): void {
  if (!condition) refuse(code)
}

export function found<T>(value: T | undefined, code: string): T {
  return value ?? refuse(code)
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export interface Grant {
  readonly tier: string
  readonly amount: number
  readonly officer: string | undefined
  /** Its own end, if it has one: it ends with the programme's use if that is earlier. */
  ownEndMs: number | undefined
  /** Refunds that came too late can be used until then, whatever the programme's use. */
  graceUntilMs: number | undefined
  /** What of it was taken back, by where it went. */
  lapsed: number
  returned: number
  clawedBack: number
  clawbackReason: string | undefined
}

export interface Application {
  readonly tier: string
  readonly pseudonym: string
  readonly place: number
  status: 'pending' | 'waiting' | 'granted' | 'rejected'
  line: number | undefined
}

export interface Account {
  readonly did: string
  application: Application | undefined
  readonly grants: Grant[]
}

export interface Program {
  readonly id: string
  readonly terms: Mutable<ProgramTerms>
  isClosed: boolean
  budget: number
  readonly accounts: Map<string, Account>
  readonly pseudonyms: Set<string>
  places: number
  /** Who waits, first come first. */
  readonly line: string[]
  lineNumbers: number
  /** The number that is looked at next. */
  lineHead: number
  /** The chain has noted that the line is to be looked at with the next block. */
  isLineDue: boolean
}

export interface Part {
  /** From 0. */
  readonly grant: number
  own: number
  funded: number
}

/** A purchase, paid or on hold. */
export interface Purchase {
  readonly id: string
  readonly program: string
  readonly citizen: string
  readonly merchant: string
  readonly price: number
  readonly timeMs: number
  readonly parts: Part[]
  excess: number
  refunded: number
  readonly reference: string | undefined
  /** Of a hold. */
  readonly expiresMs: number | undefined
  state: 'held' | 'paid'
  claim: Claim | undefined
}

export interface Claim {
  readonly number: number
  readonly day: number
  gross: number
  refunded: number
  netted: number
  payment: string | undefined
}

/** A merchant's claims and debt in one programme. */
export interface Book {
  readonly claims: Claim[]
  owed: number
}

export type Due = { readonly minute: number; readonly order: number } & (
  | { readonly what: 'grant'; readonly program: string; readonly did: string; readonly grant: number }
  | { readonly what: 'hold'; readonly purchase: string }
  | { readonly what: 'line'; readonly program: string }
)

export interface Facility {
  readonly id: string
  readonly livingArea: string
  readonly operatorScope: string | undefined
  isClosed: boolean
  closedMs?: number
  readonly closedDays: Set<number>
}

export type SeatState = 'confirmed' | 'waiting' | 'cancelled' | 'attended' | 'absent' | 'entered' | 'held' | 'lapsed' | 'lost'

export interface Seat {
  readonly did: string
  state: SeatState
  number: number
  person: string
  heldUntilMs: number | undefined
  paid: { readonly purchase: string; readonly amount: number } | undefined
}

export interface Slot extends Mutable<SlotDefinition> {
  readonly facility: string
  readonly course: string | undefined
  readonly qualification: string | undefined
  isClosed: boolean
  numbers: number
  readonly seats: Map<string, Seat>
  /** DIDs, first come first. */
  readonly line: string[]
  /** DIDs with a lot, in the order of docs: who leaves is replaced by the last. */
  readonly lots: string[]
  /** DIDs who have paid, in the same way. */
  readonly payers: string[]
  draw: { readonly height: number; readonly endedMs: number; readonly blockHash: Uint8Array; readonly secrets: Map<string, Uint8Array>; drawn: number; isDone: boolean } | undefined
}

export interface Course {
  readonly facility: string
  readonly title: string
  readonly perPersonMax: number
  readonly qualification: string | undefined
}

export type Task =
  | { readonly what: 'lapse'; readonly slot: string; readonly did: string }
  | { readonly what: 'promote'; readonly slot: string }
  | { readonly what: 'endRegistration' | 'endSecrets' | 'lots'; readonly slot: string }
  | { readonly what: 'refundSlot'; readonly slot: string }
  /** Slots of a closed day that are not taken up yet. */
  | { readonly what: 'refundDay'; readonly slots: string[] }

export interface World {
  readonly chain: string
  readonly validityMs: number
  nowMs: number
  height: number
  blockHash: Uint8Array
  /** Events of the transaction, or of the block itself, that runs. */
  told: Told[]
  readonly roles: readonly { readonly did: string; readonly role: string; readonly scope: string }[]
  /** Who the model knows; of them, who is not deactivated. */
  readonly people: ReadonlySet<string>
  readonly activeDids: Set<string>
  readonly ran: Set<string>
  /** What issuers signed, by signature. */
  readonly signed: Map<string, string>
  /** Keys that issuers assert with, and the entries that they have withdrawn. */
  readonly assertionKeys: ReadonlySet<string>
  readonly statuses: ReadonlyMap<string, { readonly issuer: string; readonly withdrawn: ReadonlySet<number> }>
  readonly merchants: Map<string, { category: string; livingArea: string | undefined; isSuspended: boolean }>
  readonly programs: Map<string, Program>
  readonly books: Map<string, Book>
  readonly purchases: Map<string, Purchase>
  /** Purchases by programme and citizen. */
  readonly purchasesOf: Map<string, Purchase[]>
  /** References of the bank's payments and, counted apart, of those of merchants; and by programme what the bank paid less what was paid back. */
  readonly settlements: Set<string>
  readonly repayments: Set<string>
  readonly paid: Map<string, number>
  due: Due[]
  dueOrder: number
  readonly livingAreas: ReadonlySet<string>
  readonly facilities: Map<string, Facility>
  readonly courses: Map<string, Course>
  readonly slots: Map<string, Slot>
  readonly absences: Map<string, { readonly slot: string; readonly atMs: number }[]>
  /** As governance has set them, whose rules the model does not know: the city tells it. */
  settings: Settings
  tasks: { readonly atMs: number; readonly order: number; readonly task: Task }[]
  taskOrder: number
}

export function tell(world: World, type: string, fields: Readonly<Record<string, unknown>>): void {
  world.told.push({ type, ...fields })
}

export function hasRole(world: World, did: string, role: string, ...scopes: readonly (string | undefined)[]): boolean {
  return world.activeDids.has(did) && world.roles.some((each) => each.did === did && each.role === role && (each.scope === '*' || scopes.includes(each.scope)))
}

/** docs/transactions.md, "Asked by others". */
export function checkAttestation(world: World, shown: Attestation, purpose: string, subject: string): void {
  must(shown.purpose === purpose, 'credential/attestation-purpose')
  must(shown.subject === subject, 'credential/attestation-subject')
  must(world.nowMs <= shown.expiresMs, 'credential/attestation-expired')
  must(hasRole(world, shown.issuer, 'issuer', purpose.split(':')[1]), 'credential/attestation-issuer')
  must(world.activeDids.has(shown.issuer) && world.assertionKeys.has(`${shown.issuer} ${hex(shown.key)}`), 'credential/attestation-key')
  if (shown.status !== undefined) {
    const list = world.statuses.get(shown.status.list)
    must(list !== undefined && list.issuer === shown.issuer && !list.withdrawn.has(shown.status.index), 'credential/attestation-withdrawn')
  }
  must(world.signed.get(hex(shown.signature)) === plain({ ...shown, signature: undefined }), 'credential/attestation-signature')
}

/** One text for equal values: bytes as hex, absent fields left out, fields in one order. */
export function plain(value: unknown): string {
  if (value instanceof Uint8Array) return `"${hex(value)}"`
  if (Array.isArray(value)) return `[${value.map(plain).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).filter(([, each]) => each !== undefined)
  return `{${fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => `"${name}":${plain(each)}`).join()}}`
}

export function sum<T>(items: Iterable<T>, of: (item: T) => number): number {
  let total = 0
  for (const item of items) total += of(item)
  return total
}

export function remove<T>(from: T[], item: T): void {
  const at = from.indexOf(item)
  assert(at >= 0, 'an item of the list')
  from.splice(at, 1)
}
