import { family } from '../family.ts'

export const credentialFamily = family({ name: 'credential', kinds: [], events: [], queries: [], codes: {} })
