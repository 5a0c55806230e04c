import { family } from '../family.ts'
import { genesis } from './genesis.ts'

export const didFamily = family({ name: 'did', kinds: [], events: [], queries: [], codes: {}, genesis })
