// dongbaek start: runs the node until it is told to stop. The first Ctrl-C or SIGTERM stops it in order: no new work, votes and blocks on the
// disk, connections closed. A second one ends it at once; nothing acknowledged is lost either way.
import { setFlagsFromString } from 'node:v8'
import { type Command, Option } from 'commander'
import { type Config, configKeys, type ConfigKey, loadConfig } from '../config.ts'
import type { AdminServer } from '../../rpc/admin.ts'
import { createLog, type LogGate } from '../log.ts'
import { reportError, say } from './output.ts'

const exitForced = 130

/** How much garbage may lie beside what lives before V8 collects it, in percent. Left to itself V8 waits for up to three times what lives: a gigabyte in a quarter of an hour at full load, on a machine with memory for it. */
const heapGrowingPercent = 50

function optionOf(key: ConfigKey): Option {
  const { byDefault: given } = key
  const byDefault = typeof given === 'string' || typeof given === 'number' ? `; default ${given}` : ''
  return new Option(`${key.flag} <value>`, `${key.what} (${key.expected}${byDefault}) [${key.variable}]`)
}

/** Commander names an option by its flag in camel case. */
function flagsOf(options: Readonly<Record<string, unknown>>): Readonly<Record<string, string | undefined>> {
  const attribute = (flag: string): string => new Option(`${flag} <value>`).attributeName()
  return Object.fromEntries(configKeys.map(({ flag }) => [flag, options[attribute(flag)] as string | undefined]))
}

export function configFrom(options: Readonly<Record<string, unknown>>): Config {
  const file = (options['config'] as string | undefined) ?? process.env['DONGBAEK_CONFIG']
  return loadConfig({ ...(file === undefined ? {} : { file }), flags: flagsOf(options), environment: process.env })
}

export function addStart(program: Command): void {
  const start = program
    .command('start')
    .description('run the node until Ctrl-C or SIGTERM; a second one ends it at once. Logs go to stdout, as JSON unless it is a terminal')
    .option('--config <file>', 'configuration file [DONGBAEK_CONFIG]; every key in it can also be given as below, and the flag wins')
  for (const key of configKeys) start.addOption(optionOf(key))
  start.action(async (options: Readonly<Record<string, unknown>>) => {
    const config = configFrom(options)
    setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent}`)
    // loaded here: the other commands answer twice as fast without it
    const [{ startNode }, { startAdmin }] = await Promise.all([import('../node.ts'), import('../admin.ts')])
    const gate: LogGate = { level: config.log.level }
    const log = createLog({ level: gate, readable: process.stdout.isTTY, bindings: { node: config.name } })
    const node = await startNode(config, log)
    let stopping = false
    const stop = (by: NodeJS.Signals | 'administration'): void => {
      if (stopping) {
        // asked for twice, not pressed twice
        if (by === 'administration') return
        say(`${by} again: ending at once.`)
        process.exit(exitForced)
      }
      stopping = true
      log.info('stopping', { by })
      Promise.all([node.stop(), admin?.stop()]).then(
        () => process.exit(0),
        (error: unknown) => {
          log.error('stop-failed', { error })
          process.exit(1)
        },
      )
    }
    let admin: AdminServer | undefined
    try {
      admin = await startAdmin({ node, config, gate, log, stop: () => stop('administration') })
    } catch (error) {
      await node.stop()
      throw error
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
    // a disk that failed, or a fault of ours: the node has stopped in order and the log says why
    void node.failed.then((error) => process.exit(reportError(error, false)))
    await node.failed
    process.exitCode = 1
  })
}
