// The digital citizenship card of the city: the worked example of a credential. It says that the holder of a DID is a citizen of a living area, and no more.
import type { Did } from '../../../primitives/brand.ts'
import type { JsonObject } from '../../../primitives/schema.ts'
import type { Signer } from '../wallet.ts'
import { issueCredential } from './credential.ts'

export const citizenshipCardType = 'DigitalCitizenshipCard'

export interface CitizenshipCard {
  readonly holder: Did
  readonly livingArea: string
  readonly validFromMs: number
  readonly validUntilMs: number
  /** The card's number in the issuer's lists; one number a card, never used again. */
  readonly index: number
  readonly lists: { readonly revocation: string; readonly suspension: string }
  /** Where status lists are served: `https://node.example/credentials/status`. */
  readonly statusBase: string
}

export async function issueCitizenshipCard({ holder, livingArea, validFromMs, validUntilMs, index, lists, statusBase }: CitizenshipCard, issuer: Signer): Promise<JsonObject> {
  return issueCredential(
    {
      type: citizenshipCardType,
      subject: holder,
      claims: { citizenOf: 'Busan', livingArea },
      validFromMs,
      validUntilMs,
      status: (['revocation', 'suspension'] as const).map((purpose) => ({ purpose, list: lists[purpose], index, base: statusBase })),
    },
    issuer,
  )
}
