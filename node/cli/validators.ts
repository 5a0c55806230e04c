// dongbaek validators: who votes, by the node that is asked, and whether it sees them.
import { type Command, InvalidArgumentError } from 'commander'
import { answer, table } from './output.ts'
import { connect, type RemoteOptions, unreachable, withRemote } from './remote.ts'

export function heightNumber(text: string): number {
  const height = Number(text)
  if (!/^\d{1,16}$/.test(text) || height < 1) throw new InvalidArgumentError('a height is a number from 1')
  return height
}

export function addValidators(program: Command): void {
  withRemote(program.command('validators').description('the validator set, its quorum rule, and which of them the node is connected to').option('--height <height>', 'the set that governs this height', heightNumber)).action(
    async (options: RemoteOptions & { readonly height?: number }) => {
      const client = connect(options)
      try {
        const { height } = options
        const { activation, set } = await client.call('chain_getValidators', height === undefined ? {} : { height })
        const { name: own, primary } = await client.call('node_status', {})
        const peers = new Map((await client.call('node_peers', {})).items.map((peer) => [peer.name, peer]))
        const seen = (name: string): string => (name === own ? 'asked' : peers.get(name)?.connected === true ? 'connected' : 'not connected')
        const rows = set.validators.map(({ name, organisation, publicKey }, i) => [String(i), name, organisation, publicKey, seen(name), name === primary ? 'primary' : ''])
        answer(options, { activation, ...set, primary }, [
          `The set from height ${activation} on${set.minimums.map(({ organisation, minimum }) => `; at least ${minimum} of ${organisation} in every certificate`).join('')}.`,
          '',
          ...table(['', 'name', 'organisation', 'public key', 'seen', ''], rows),
        ])
      } catch (error) {
        throw unreachable(error, options.rpc)
      }
    },
  )
}
