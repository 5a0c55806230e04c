// node scripts/run.mjs [name] [arguments]: what every npm script starts with. Installs what is missing, then runs
// scripts/<name>.ts; without a name it only installs.
import { existsSync } from 'node:fs'
import { ensureInstalled, launch } from './bootstrap.mjs'

const [name, ...args] = process.argv.slice(2)
if (name !== undefined && !existsSync(new URL(`${name}.ts`, import.meta.url))) {
  process.stderr.write(`There is no scripts/${name}.ts. "npm run" lists the commands.\n`)
  process.exit(2)
}
await ensureInstalled()
if (name !== undefined) launch(`scripts/${name}.ts`, args)
