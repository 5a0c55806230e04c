// dongbaek indexer: the map for applications, followed from nodes into a database of its own. It is a client like any other and needs no node on this machine.
import { type Command, Option } from 'commander'
import { createLog } from '../log.ts'
import { port as portKind } from '../config-kinds.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { say } from './output.ts'

interface Options {
  readonly rpc: readonly string[]
  readonly database: string
  readonly host: string
  readonly port: string
  readonly rebuild?: boolean
}

const urlsMax = 16

export function addIndexer(program: Command): void {
  program
    .command('indexer')
    .description('follow facilities, courses and seats from nodes into a database, and serve them as GeoJSON until Ctrl-C (docs/indexer.md)')
    .addOption(new Option('--rpc <url...>', 'JSON-RPC addresses of nodes of one chain, in order of preference').default(['http://127.0.0.1:26600']))
    .option('--database <place>', 'file of the index, made if it is not there; or postgres://user@host/database, with PostGIS', 'map.sqlite')
    .option('--host <address>', 'address to serve the map at', '127.0.0.1')
    .option('--port <port>', 'port to serve the map at', '26650')
    .option('--rebuild', 'throw the index away and make it anew from the genesis')
    .action(async ({ rpc: urls, database, host, port: portText, rebuild = false }: Options) => {
      const port = portKind.fromText(portText, '')
      if (port === undefined) throw new DongbaekError('cli/argument', `--port: ${portKind.expected}`, { port: portText })
      if (urls.length > urlsMax || !urls.every((url) => /^https?:/.test(url) && URL.canParse(url))) throw new DongbaekError('cli/argument', `--rpc: at most ${urlsMax} addresses such as http://127.0.0.1:26600`)
      // loaded here: the other commands answer faster without it
      const { startIndexer } = await import('../../rpc/indexer/indexer.ts')
      const indexer = await startIndexer({ urls, database, host, port: port.value, rebuild, log: createLog({ level: 'info', readable: process.stdout.isTTY, bindings: { part: 'indexer' } }) })
      say(`The map is at ${indexer.url}. Ctrl-C ends.`)
      let stopping = false
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.on(signal, () => {
          if (stopping) process.exit(130)
          stopping = true
          void indexer.stop().then(() => process.exit(0))
        })
      }
      try {
        await indexer.ended
      } finally {
        if (!stopping) await indexer.stop()
      }
    })
}
