// What a family of transactions is made of. A family is one folder with its types, rules and queries, and one entry in families.ts.
import type { Did, Height, TimeMs } from '../primitives/brand.ts'
import { type Fields, record, type RecordOf, type Schema } from '../primitives/schema.ts'
import type { Query } from './query.ts'
import type { Transaction } from './transaction.ts'
import type { WriteView } from './view.ts'

/** A rule said no. The receipt bears the code and the data; nothing else of the transaction happens. */
export interface Refusal {
  readonly code: string
  readonly data: Readonly<Record<string, string | number>>
}

export function refuse(code: string, data: Refusal['data'] = {}): Refusal {
  return { code, data }
}

export interface Event {
  readonly type: string
}

export interface BlockInfo {
  readonly chain: string
  readonly height: Height
  /** Block time: the only time rules know. */
  readonly timeMs: TimeMs
}

/** For work that a block does before its transactions. */
export interface BlockContext {
  readonly block: BlockInfo
  readonly view: WriteView
  readonly emit: (event: Event) => void
}

export interface Context extends BlockContext {
  readonly transaction: Transaction
}

export interface Kind<P> {
  /** `family.verb`. */
  readonly kind: string
  readonly summary: string
  readonly payload: Schema<P>
  /** The family itself checks the sender's key: the DID comes into being by this transaction, or is signed for by its recovery key. */
  readonly createsSender?: true
  /** The rules, in order. All reads and writes go through the view; a refusal drops the writes. */
  readonly apply: (context: Context, payload: P) => Refusal | undefined
}

export function kind<P>(definition: Kind<P>): Kind<P> {
  return definition
}

export interface EventType<T extends Event> {
  (fields: Omit<T, 'type'>): T
  readonly type: string
  readonly schema: Schema<Omit<T, 'type'>>
  readonly summary: string
}

/** Defines an event and makes its constructor: `const granted = event('points.granted', 'a grant was made', { … })`. */
export function event<const Name extends string, const F extends Fields>(type: Name, summary: string, fields: F): EventType<{ readonly type: Name } & RecordOf<F>> {
  type Made = { readonly type: Name } & RecordOf<F>
  const make = (values: Omit<Made, 'type'>): Made => ({ type, ...values }) as unknown as Made
  return Object.assign(make, { type, summary, schema: record(fields) as unknown as Schema<Omit<Made, 'type'>> }) as unknown as EventType<Made>
}

export interface Family {
  readonly name: string
  readonly kinds: readonly Kind<never>[]
  readonly events: readonly EventType<never>[]
  /** Every refusal code of the family with the sentence that explains it: what happened and what to do. */
  readonly codes: Readonly<Record<string, string>>
  /** The family's part of the genesis, applied once to the empty state. */
  readonly genesis?: GenesisSection<never>
  /** What the family answers about itself, by method. */
  readonly queries: readonly Query<never, unknown>[]
  /** Work that falls due with a block, before its transactions. Must be bounded, whatever the size of the state. */
  readonly beginBlock?: (context: BlockContext) => void
}

export interface GenesisSection<T> {
  readonly schema: Schema<T>
  readonly apply: (context: BlockContext, section: T) => void
}

/** Kinds have different payload types; each kind's apply is only ever called with what its own schema decoded. */
export function family(definition: {
  readonly name: string
  readonly kinds: readonly unknown[]
  readonly events: readonly unknown[]
  readonly queries: readonly unknown[]
  readonly codes: Readonly<Record<string, string>>
  readonly genesis?: unknown
  readonly beginBlock?: (context: BlockContext) => void
}): Family {
  return definition as Family
}

/** The signer of the transaction other than the sender who satisfies `holds`, if any. */
export function countersigner(transaction: Transaction, holds: (signer: Did) => boolean): Did | undefined {
  return transaction.signatures.slice(1).find(({ signer }) => holds(signer))?.signer
}
