import { family } from '../family.ts'

export const governanceFamily = family({ name: 'governance', kinds: [], events: [], queries: [], codes: {} })
