// dongbaek admin: what an operator on the same machine tells a node that runs, over the administration's own port.
import { type Command, InvalidArgumentError } from 'commander'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { adminLogLevel, adminSnapshot, adminStop, logLevels } from '../../rpc/api/admin.ts'
import type { Declaration } from '../../rpc/api/declare.ts'
import { createClient } from '../../rpc/client/index.ts'
import { answer, type JsonOption, thousands } from './output.ts'
import { callByName } from './remote.ts'

const adminDefault = 'http://127.0.0.1:26500'
const timeoutMs = 10_000

interface AdminOptions extends JsonOption {
  readonly admin: string
}

async function ask<P, R>({ admin }: AdminOptions, { method, result }: Declaration<P, R>, params: JsonObject): Promise<{ readonly json: Json; readonly result: R }> {
  try {
    const json = await callByName(createClient({ url: admin, timeoutMs, rounds: 1 }), method, params)
    return { json, result: result.fromJson(json, '') }
  } catch (error) {
    if (!(error instanceof DongbaekError) || !['client/unreachable', 'client/timeout'].includes(error.code)) throw error
    throw new DongbaekError(error.code, `no administration answers at ${admin}. Does the node run on this machine, and has its config.json an admin.port? Another address is given by --admin`, { admin }, { cause: error })
  }
}

function levelArgument(text: string): string {
  if (!logLevels.some((known) => known === text)) throw new InvalidArgumentError(`a level is one of ${logLevels.join(', ')}`)
  return text
}

export function addAdmin(program: Command): void {
  const admin = program.command('admin').description('administer the node that runs on this machine: its log level, a snapshot, its stop')
  const command = (name: string, what: string): Command =>
    admin.command(name).description(what).option('--admin <url>', 'address of the administration: admin.host and admin.port of the configuration', adminDefault).option('--json', 'answer in JSON')

  command('log-level', 'tell the least level that is logged, or set it until the next start')
    .argument('[level]', `one of ${logLevels.join(', ')}`, levelArgument)
    .action(async (level: string | undefined, options: AdminOptions) => {
      const { json, result } = await ask(options, adminLogLevel, level === undefined ? {} : { level })
      answer(options, json, [`Logged from level ${result.level} on${level === undefined ? '.' : ', until the next start.'}`])
    })

  command('snapshot', 'have the node make a snapshot of its state for nodes that join').action(async (options: AdminOptions) => {
    const { json, result } = await ask(options, adminSnapshot, {})
    const height = thousands(result.height ?? 0)
    const words = {
      kept: `There is a snapshot of the last block, ${height}.`,
      making: `A snapshot of block ${height} is being made. "dongbaek query state_snapshotInfo" lists it once it is there.`,
      waiting: 'A snapshot begins with the next certified block. "dongbaek query state_snapshotInfo" lists it once it is there.',
    }
    answer(options, json, [words[result.state]])
  })

  command('stop', 'stop the node in order, as SIGTERM does').action(async (options: AdminOptions) => {
    answer(options, (await ask(options, adminStop, {})).json, ['The node stops; its process ends once votes and blocks are on the disk.'])
  })
}
