// npx dongbaek: the operator's command line. One file a command; this one puts them together and ends with the right exit code.
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addAdmin } from './admin.ts'
import { addData } from './data.ts'
import { addGenesis } from './genesis.ts'
import { addIndexer } from './indexer.ts'
import { addInit } from './init.ts'
import { addKeys } from './keys.ts'
import { exitUsage, reportError } from './output.ts'
import { addQuery } from './query.ts'
import { addStart } from './start.ts'
import { addStatement } from './statement.ts'
import { addStatus } from './status.ts'
import { addTx, idMark } from './tx.ts'
import { addValidators } from './validators.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }

export function createProgram(): Command {
  const program = new Command('dongbaek')
  program
    .description('Operates a node of the Dongbaek ledger. "dongbaek <command> --help" says more of each command.')
    .version(version)
    .showHelpAfterError('Add --help for what the command takes.')
    .exitOverride()
  for (const add of [addInit, addKeys, addGenesis, addStart, addStatus, addAdmin, addValidators, addTx, addQuery, addStatement, addData, addIndexer]) add(program)
  return program
}

/** Runs one command; returns the exit code, or undefined while a node runs. */
export async function run(argv: readonly string[]): Promise<number | undefined> {
  const program = createProgram()
  inherit(program)
  try {
    await program.parseAsync(argv.map(markId), { from: 'user' })
    return undefined
  } catch (error) {
    // commander has printed its message, or the help that was asked for
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitUsage
    return reportError(error, argv.includes('--json'))
  }
}

/** A transaction id may begin with a hyphen (base64url), where commander would see an option. */
function markId(argument: string): string {
  return /^-[A-Za-z0-9_-]{42}$/.test(argument) ? `${idMark}${argument}` : argument
}

/** Subcommands made before exitOverride would end the process themselves. */
function inherit(command: Command): void {
  for (const one of command.commands) {
    one.exitOverride()
    inherit(one)
  }
}

if (import.meta.main) {
  const code = await run(process.argv.slice(2))
  if (code !== undefined) process.exitCode = code
}
