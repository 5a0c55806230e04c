#!/usr/bin/env node
// The operator's command, from a clone: npx dongbaek <command>.
import { existsSync } from 'node:fs'

if (!existsSync(new URL('bootstrap.mjs', import.meta.url))) {
  process.stderr.write('This package holds the client alone: import "dongbaek/client". The dongbaek command runs from a clone of the repository.\n')
  process.exit(2)
}
const { ensureInstalled, launch } = await import('./bootstrap.mjs')
await ensureInstalled({ withDev: false })
launch('node/cli/main.ts', process.argv.slice(2))
