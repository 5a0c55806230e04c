#!/usr/bin/env node
// The operator's command, from a clone: npx dongbaek <command>.
import { ensureInstalled, launch } from './bootstrap.mjs'

await ensureInstalled({ withDev: false })
launch('node/cli/main.ts', process.argv.slice(2))
