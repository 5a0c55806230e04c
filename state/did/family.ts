// Decentralised identifiers: who signs. The method is did:dongbaek; docs/protocol.md has its bytes.
import { family } from '../family.ts'
import { didCodes } from './codes.ts'
import { completeRecovery } from './complete-recovery.ts'
import { deactivate } from './deactivate.ts'
import { carryOutDue } from './due.ts'
import { didEvents } from './events.ts'
import { genesis } from './genesis.ts'
import { didQueries } from './queries.ts'
import { recover } from './recover.ts'
import { register } from './register.ts'
import { requestRecovery } from './request-recovery.ts'
import { stopRecovery } from './stop-recovery.ts'
import { update } from './update.ts'

export const didFamily = family({ name: 'did', kinds: [register, update, recover, requestRecovery, stopRecovery, completeRecovery, deactivate], events: didEvents, queries: didQueries, codes: didCodes, genesis, beginBlock: carryOutDue })
