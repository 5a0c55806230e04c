// Points: programmes of the city's policy funds, as data on the chain, and the money that moves in them.
import { family } from '../family.ts'

export const pointsFamily = family({ name: 'points', kinds: [], events: [], queries: [], codes: {} })
