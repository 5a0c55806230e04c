// Cards: the public part of a node or an office, one small JSON file each, which its operator hands to whoever holds the ceremony.
import { DongbaekError } from '../primitives/errors.ts'
import { bytes, type Infer, type Json, list, optional, record, refine, slug } from '../primitives/schema.ts'
import { address } from '../state/governance/validator-sets.ts'

const publicKey = bytes(32, 32)

export const nodeCard = refine(
  record({
    name: slug,
    /** Of a validator; absent for an observer. */
    organisation: optional(slug),
    publicKey,
    addresses: list(address, 0, 8),
  }),
  (card) => (card.organisation !== undefined && card.addresses.length === 0 ? 'an address at which the other validators reach this one' : undefined),
)
export type NodeCard = Infer<typeof nodeCard>

/** `office` is one of the preset's. */
export const officeCard = record({ office: slug, publicKey })
export type OfficeCard = Infer<typeof officeCard>

function readCard<T>(schema: { readonly fromJson: (json: Json, path: string) => T }, text: string, source: string): T {
  try {
    return schema.fromJson(JSON.parse(text) as Json, '')
  } catch (cause) {
    throw new DongbaekError('genesis/card', `${source} is no card: ${(cause as Error).message}. Ask its sender for the file again`, { source }, { cause })
  }
}

export function readNodeCard(text: string, source: string): NodeCard {
  return readCard(nodeCard, text, source)
}

export function readOfficeCard(text: string, source: string): OfficeCard {
  return readCard(officeCard, text, source)
}

/** A card's text. */
export function writeNodeCard(card: NodeCard): string {
  return `${JSON.stringify(nodeCard.toJson(card), undefined, 2)}\n`
}

export function writeOfficeCard(card: OfficeCard): string {
  return `${JSON.stringify(officeCard.toJson(card), undefined, 2)}\n`
}
