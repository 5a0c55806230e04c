// A preset: all that a network needs beside its keys. Keys come at the ceremony, so that a preset can be read and reviewed by everyone.
import type { RoleName } from '../../state/roles.ts'
import type { openProgramPayload } from '../../state/points/types.ts'
import type { FacilityDefinition, LivingArea } from '../../state/reservation/types.ts'
import type { Parameters } from '../../state/parameters.ts'
import type { Infer } from '../../primitives/schema.ts'
import type { GenesisConsensus } from '../genesis.ts'

export type OpenProgram = Infer<typeof openProgramPayload>

/** Someone whose DID is in the state from the beginning. */
export interface Office {
  /** What the ceremony calls it. */
  readonly id: string
  readonly title: { readonly ko: string; readonly en: string }
  readonly organisation?: string
  readonly roles: readonly { readonly role: RoleName; readonly scope: string }[]
  /** Only of those who take points from the first day. */
  readonly merchant?: { readonly category: string; readonly livingArea?: string }
}

export interface Preset {
  readonly name: string
  readonly organisations: readonly { readonly id: string; readonly title: { readonly ko: string; readonly en: string } }[]
  readonly minimums: readonly { readonly organisation: string; readonly minimum: number }[]
  readonly consensus: GenesisConsensus
  readonly parameters: Parameters
  readonly offices: readonly Office[]
  readonly livingAreas: readonly LivingArea[]
  readonly facilities: readonly FacilityDefinition[]
  /** The programmes that an officer opens by transaction, as of `openedMs`. */
  readonly programs: (openedMs: number) => readonly OpenProgram[]
}
