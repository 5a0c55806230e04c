import { family } from '../family.ts'
import { genesis } from './genesis.ts'

export const governanceFamily = family({ name: 'governance', kinds: [], events: [], queries: [], codes: {}, genesis })
