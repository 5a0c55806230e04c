// node scripts/reference.ts: writes the generated parts of docs/transactions.md anew. Text outside the marks is written by hand and stays.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { withGenerated } from './reference/all.ts'

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
if (values.help === true) {
  console.log('node scripts/reference.ts\n\nWrites the generated parts of docs/transactions.md anew from the schemas, code tables and descriptions (scripts/reference/).')
  process.exit()
}
const file = path.join(path.dirname(import.meta.dirname), 'docs/transactions.md')
const before = readFileSync(file, 'utf8')
const after = withGenerated(before)
if (after !== before) writeFileSync(file, after)
console.log(`docs/transactions.md ${after === before ? 'unchanged' : 'written'}`)
