// dongbaek validators: who votes and who is about to, by the node that is asked, and whether it sees them; and the evidence against one, checked here.
import { type Command, InvalidArgumentError } from 'commander'
import { decodeEvidence, encodeEvidence, evidence as evidenceSchema, type EvidenceRecord, whyNotConvicted } from '../../consensus/contradiction.ts'
import { fromBase64url, toBase64url } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Client } from '../../rpc/client/index.ts'
import { evidenceBytesMax } from '../../state/governance/types.ts'
import { answer, table } from './output.ts'
import { connect, type RemoteOptions, unreachable, withRemote } from './remote.ts'

export function heightNumber(text: string): number {
  const height = Number(text)
  if (!/^\d{1,16}$/.test(text) || height < 1) throw new InvalidArgumentError('a height is a number from 1')
  return height
}

interface ValidatorsOptions extends RemoteOptions {
  readonly height?: number
  readonly evidence?: boolean
  readonly check?: string
}

/** Trusts the node for nothing but the name of the chain. */
async function judge(client: Client, options: ValidatorsOptions): Promise<void> {
  const { chainId } = await client.call('node_status', {})
  const records: readonly EvidenceRecord[] =
    options.check === undefined ? (await client.call('chain_getEvidence', {})).items.map((item) => evidenceSchema.fromJson(item, '')) : [decodeEvidence(evidenceBytes(options.check))]
  const rows = records.map((one) => {
    const encoded = encodeEvidence(one)
    return { validator: one.validator, publicKey: toBase64url(one.publicKey), kind: one.kind, height: one.height, view: one.view, verdict: whyNotConvicted(one, chainId) ?? 'convicted', encoded }
  })
  const shown = rows.map(({ encoded, height, view, ...row }) => ({
    ...row,
    ...(height === undefined ? {} : { height }),
    ...(view === undefined ? {} : { view }),
    ...(encoded.length > evidenceBytesMax ? {} : { evidence: toBase64url(encoded) }),
  }))
  answer(options, { items: shown }, rows.length === 0 ? ['No contradictory messages are kept.'] : table(['validator', 'public key', 'what', 'height', 'view', 'verdict'], rows.map(({ validator, publicKey, kind, height, view, verdict }) => [validator, publicKey, kind, String(height ?? ''), String(view ?? ''), verdict])))
}

function evidenceBytes(text: string): Uint8Array {
  const decoded = fromBase64url(text)
  if (decoded === undefined) throw new DongbaekError('cli/evidence', 'the evidence is not base64url: give the text of the field `evidence` of the proposal’s payload')
  return decoded
}

export function addValidators(program: Command): void {
  withRemote(
    program
      .command('validators')
      .description('the validator set, its quorum rule, which of them the node is connected to, and the set that is scheduled')
      .option('--height <height>', 'the set that governs this height', heightNumber)
      .option('--evidence', 'contradictory messages that the node keeps, each checked here; with --json in the form that a proposal carries')
      .option('--check <evidence>', 'check the evidence that a proposal carries, in base64url'),
  ).action(
    async (options: ValidatorsOptions) => {
      const client = connect(options)
      try {
        if (options.evidence === true || options.check !== undefined) return await judge(client, options)
        const { height } = options
        const { activation, set, scheduled } = await client.call('chain_getValidators', height === undefined ? {} : { height })
        const { name: own, primary } = await client.call('node_status', {})
        const peers = new Map((await client.call('node_peers', {})).items.map((peer) => [peer.name, peer]))
        const seen = (name: string): string => (name === own ? 'asked' : peers.get(name)?.connected === true ? 'connected' : 'not connected')
        const rows = set.validators.map(({ name, organisation, publicKey }, i) => [String(i), name, organisation, publicKey, seen(name), name === primary ? 'primary' : ''])
        answer(options, { activation, ...set, primary, ...(scheduled === undefined ? {} : { scheduled }) }, [
          `The set from height ${activation} on${set.minimums.map(({ organisation, minimum }) => `; at least ${minimum} of ${organisation} in every certificate`).join('')}.`,
          '',
          ...table(['', 'name', 'organisation', 'public key', 'seen', ''], rows),
          ...(scheduled === undefined ? [] : ['', `From height ${scheduled.activation} on: ${scheduled.set.validators.map(({ name, publicKey }) => `${name}${set.validators.some((one) => one.publicKey === publicKey) ? '' : ` (new key ${publicKey})`}`).join(', ')}${scheduled.set.minimums.map(({ organisation, minimum }) => `; at least ${minimum} of ${organisation}`).join('')}.`]),
        ])
      } catch (error) {
        throw unreachable(error, options.rpc)
      }
    },
  )
}
