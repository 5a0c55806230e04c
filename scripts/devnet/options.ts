// The flags of the devnet.
import path from 'node:path'
import { parseArgs } from 'node:util'

export const root = path.dirname(path.dirname(import.meta.dirname))

export const help = `npm run devnet -- [flags]

Makes keys and a genesis from Busan's preset, starts validators (half of the city, half of the bank) and an observer as
processes of their own, plays launch day against them over JSON-RPC, and stays up until Ctrl-C. The data lasts: started
again it goes on from its last block.

  --validators N   how many validators, 1 to 32; default 4
  --observers N    how many observers, 0 to 32; default 1
  --data DIR       data folder; default .devnet
  --base-port P    RPC of validator i listens on P + i, of observer i on P + 100 + i, and between nodes on
                   P + 200 + i and P + 300 + i; the administration on P + 400 + i and
                   P + 450 + i, for this machine alone; default 26600
  --fresh          throw the data folder away first
  --no-demo        do not play launch day
  --exit           stop cleanly after launch day; exit code 0 only if every step held

While it is up: type the name of a node that died, and Enter, to start it again.`

export interface DevnetOptions {
  readonly validators: number
  readonly observers: number
  readonly data: string
  readonly basePort: number
  readonly fresh: boolean
  readonly demo: boolean
  readonly exit: boolean
  /** Given by the user, so that a folder made otherwise is an error and no surprise. */
  readonly given: ReadonlySet<string>
}

/** Undefined: the help was asked for. Throws an Error with a sentence for the user. */
export function readOptions(args: readonly string[]): DevnetOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      validators: { type: 'string', default: '4' },
      observers: { type: 'string', default: '1' },
      data: { type: 'string', default: '.devnet' },
      'base-port': { type: 'string', default: '26600' },
      fresh: { type: 'boolean', default: false },
      'no-demo': { type: 'boolean', default: false },
      exit: { type: 'boolean', default: false },
    },
  })
  if (values.help === true) return undefined
  return {
    validators: count('--validators', values.validators, 1, 32),
    observers: count('--observers', values.observers, 0, 32),
    data: path.resolve(root, values.data),
    basePort: count('--base-port', values['base-port'], 1_024, 65_000),
    fresh: values.fresh,
    demo: !values['no-demo'],
    exit: values.exit,
    given: new Set(['validators', 'observers', 'base-port'].filter((name) => args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`)))),
  }
}

function count(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max) throw new Error(`${flag} takes a whole number from ${min} to ${max}, not ${text}.`)
  return value
}
