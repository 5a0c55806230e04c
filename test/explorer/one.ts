// One exploration in a process of its own: node test/explorer/one.ts '{"bounds": {…}, "states": 100000}' prints it as JSON.
import { explore } from './explore.ts'
import type { Bounds } from './world.ts'

const { bounds, states } = JSON.parse(process.argv[2] ?? '') as { readonly bounds: Bounds; readonly states: number }
console.log(JSON.stringify(explore(bounds, { states, depth: Number.POSITIVE_INFINITY })))
