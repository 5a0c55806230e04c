// dongbaek query: any method of a node, by its name.
import type { Command } from 'commander'
import { DongbaekError } from '../../primitives/errors.ts'
import type { JsonObject } from '../../primitives/schema.ts'
import { answer, table } from './output.ts'
import { callByName, connect, paramsFrom, type RemoteOptions, unreachable, withRemote } from './remote.ts'

export function addQuery(program: Command): void {
  withRemote(
    program
      .command('query [method] [parameters...]')
      .description('call a JSON-RPC method: dongbaek query points_audit program=multi-child, or with one JSON object')
      .option('--list', 'list the methods of the node'),
  ).action(async (method: string | undefined, words: readonly string[], options: RemoteOptions & { readonly list?: boolean }) => {
    const client = connect(options)
    try {
      if (options.list === true) {
        const { methods } = (await callByName(client, 'rpc.discover', {})) as unknown as { readonly methods: readonly (JsonObject & { readonly name: string; readonly summary: string })[] }
        answer(options, methods.map(({ name, summary }) => ({ name, summary })), table(['method', 'what it answers'], methods.map(({ name, summary }) => [name, summary])))
        return
      }
      if (method === undefined) throw new DongbaekError('cli/argument', 'which method? "dongbaek query --list" lists them')
      const result = await callByName(client, method, paramsFrom(words))
      answer({ json: true }, result, [])
    } catch (error) {
      throw unreachable(error, options.rpc)
    }
  })
}
