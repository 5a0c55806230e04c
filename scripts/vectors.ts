// node scripts/vectors.ts: writes test/vectors/*.json anew. A change there is a change of the protocol: networks that run will not understand it.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { allVectors, textOf } from '../test/vectors/all.ts'

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
if (values.help === true) {
  console.log('node scripts/vectors.ts\n\nWrites test/vectors/*.json anew from the code, and says which files changed. Read docs/protocol.md before you commit such a change.')
  process.exit()
}
const folder = path.join(path.dirname(import.meta.dirname), 'test/vectors')
for (const [name, vectors] of Object.entries(allVectors())) {
  const file = path.join(folder, `${name}.json`)
  const text = textOf(vectors)
  const before = readIfThere(file)
  if (before !== text) writeFileSync(file, text)
  console.log(`${name}.json ${before === undefined ? 'written' : before === text ? 'unchanged' : 'CHANGED'}`)
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
