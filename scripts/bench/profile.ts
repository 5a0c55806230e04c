// Sums up CPU profiles: self time by file and by function, in shares of the busy time. `node scripts/bench/profile.ts DIR [rows]`
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number } }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const [folder = '.', rows = '30'] = process.argv.slice(2)
const idle = new Set(['(idle)', '(program)', '(root)'])
const byFunction = new Map<string, number>()
const byFile = new Map<string, number>()
let busy = 0
for (const name of readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'))) {
  const profile = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Profile
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  profile.samples.forEach((id, i) => {
    const frame = frames.get(id)
    if (frame === undefined || idle.has(frame.functionName)) return
    const delta = profile.timeDeltas[i] ?? 0
    const file = frame.url === '' ? frame.functionName : frame.url.replace(/^.*\/node_modules\//, '').replace(/^file:\/\/.*\/(?=(node|rpc|state|consensus|primitives)\/)/, '')
    busy += delta
    byFile.set(file, (byFile.get(file) ?? 0) + delta)
    const key = `${frame.functionName === '' ? '(anonymous)' : frame.functionName} ${file}:${frame.lineNumber + 1}`
    byFunction.set(key, (byFunction.get(key) ?? 0) + delta)
  })
}
for (const [title, table] of [['by file', byFile], ['by function', byFunction]] as const) {
  console.log(`\n${title}`)
  for (const [key, time] of [...table].sort((a, b) => b[1] - a[1]).slice(0, Number(rows))) console.log(`${((time / busy) * 100).toFixed(1).padStart(5)} %  ${key}`)
}
