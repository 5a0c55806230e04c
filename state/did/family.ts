import { family } from '../family.ts'

export const didFamily = family({ name: 'did', kinds: [], events: [], queries: [], codes: {} })
