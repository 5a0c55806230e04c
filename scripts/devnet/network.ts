// The data folder of a devnet: keys, genesis and configuration of every node, made once and found again.
//   devnet.json · passphrase · genesis.json · offices/<office>.seed · nodes/<name>/{keystore,config,card}.json, data/, node.log · launch-day.json
// The seeds of the offices lie in clear: they are worth nothing outside this folder. Real offices keep theirs in keystores.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { type NodeCard, type OfficeCard, readNodeCard } from '../../genesis/card.ts'
import { buildGenesis } from '../../genesis/ceremony.ts'
import { checkGenesis } from '../../genesis/check.ts'
import { chainIdOf, type Genesis, readGenesis, writeGenesis } from '../../genesis/genesis.ts'
import { devnet as preset } from '../../genesis/presets/devnet.ts'
import { createNodeFolder } from '../../node/cli/init.ts'
import { fromHex, toHex } from '../../primitives/bytes.ts'
import { keyPairFromSeed, seedBytes } from '../../primitives/ed25519.ts'
import type { DevnetOptions } from './options.ts'

const networkName = 'dongbaek-devnet'
const host = '127.0.0.1'
const format = 1

export interface DevnetNode {
  readonly name: string
  readonly role: 'validator' | 'observer'
  readonly organisation: string | undefined
  readonly folder: string
  readonly config: string
  readonly log: string
  readonly rpc: string
}

export interface Network {
  readonly folder: string
  readonly genesis: Genesis
  readonly chainId: string
  /** Validators in the order of the genesis, then observers. */
  readonly nodes: readonly DevnetNode[]
  readonly seedOf: (office: string) => Uint8Array
  readonly launchDayFile: string
  readonly isNew: boolean
}

interface Shape {
  readonly format: number
  readonly validators: number
  readonly observers: number
  readonly basePort: number
}

/** Opens the network in the data folder, or makes it. `onStep` is told what was done. Throws an Error with a sentence for the user. */
export async function openNetwork(options: DevnetOptions, onStep: (name: string, what: string) => void): Promise<Network> {
  const { data } = options
  if (options.fresh) throwAway(data)
  const shapeFile = path.join(data, 'devnet.json')
  const isNew = !existsSync(shapeFile)
  if (isNew && existsSync(data)) {
    // an earlier start was cut short before any node ran: nothing in it is worth keeping, but only if it is ours
    if (!existsSync(path.join(data, 'passphrase'))) throw new Error(`${data} exists and holds no devnet. Choose another folder by --data.`)
    throwAway(data)
  }
  const shape = isNew ? { format, validators: options.validators, observers: options.observers, basePort: options.basePort } : readShape(shapeFile, options)
  if (isNew) await make(data, shape, onStep)
  const genesis = readGenesis(readFileSync(path.join(data, 'genesis.json'), 'utf8'))
  checkGenesis(genesis)
  if (isNew) writeFileSync(shapeFile, `${JSON.stringify(shape, undefined, 2)}\n`)
  else onStep('Keys', 'found')
  const chainId = chainIdOf(genesis)
  onStep('Genesis', `${chainId}${isNew ? '' : ', found'}`)
  return { folder: data, genesis, chainId, nodes: nodesOf(data, genesis, shape), seedOf: (office) => readSeed(seedFile(data, office)), launchDayFile: path.join(data, 'launch-day.json'), isNew }
}

function throwAway(data: string): void {
  if (!existsSync(data)) return
  if (!existsSync(path.join(data, 'devnet.json')) && !existsSync(path.join(data, 'passphrase'))) throw new Error(`${data} holds no devnet, so it is not thrown away. Choose another folder by --data.`)
  rmSync(data, { recursive: true })
}

function readShape(file: string, { given, ...wanted }: DevnetOptions): Shape {
  const shape = JSON.parse(readFileSync(file, 'utf8')) as Shape
  const differs = ([['validators', 'validators'], ['observers', 'observers'], ['base-port', 'basePort']] as const).filter(([flag, key]) => given.has(flag) && wanted[key] !== shape[key])
  if (shape.format !== format || differs.length > 0) {
    const why = differs.map(([flag, key]) => `--${flag} ${shape[key]}`).join(', ')
    throw new Error(`${path.dirname(file)} holds a devnet ${why === '' ? 'of another version' : `made with ${why}`}. Add --fresh to throw it away, or choose another folder by --data.`)
  }
  return shape
}

async function make(data: string, shape: Shape, onStep: (name: string, what: string) => void): Promise<void> {
  mkdirSync(path.join(data, 'offices'), { recursive: true, mode: 0o700 })
  const passphraseFile = path.join(data, 'passphrase')
  const passphrase = randomBytes(24).toString('base64url')
  writeFileSync(passphraseFile, `${passphrase}\n`, { mode: 0o600 })
  const offices = preset.offices.map(({ id }): OfficeCard => {
    const seed = new Uint8Array(randomBytes(seedBytes))
    writeFileSync(seedFile(data, id), `${toHex(seed)}\n`, { mode: 0o600 })
    return { office: id, publicKey: keyPairFromSeed(seed).publicKey }
  })
  const cards = await Promise.all(plan(shape).map((node) => makeNode(data, node, passphrase, passphraseFile)))
  onStep('Keys', `made for ${cards.length} ${cards.length === 1 ? 'node' : 'nodes'} (encrypted) and ${offices.length} offices`)
  const present = new Set(cards.map(({ organisation }) => organisation))
  const genesis = buildGenesis(preset, { name: networkName, timeMs: Date.now(), nodes: cards, offices, minimums: preset.minimums.filter(({ organisation }) => present.has(organisation)) })
  checkGenesis(genesis)
  writeFileSync(path.join(data, 'genesis.json'), writeGenesis(genesis))
}

interface Planned {
  readonly name: string
  readonly organisation: string | undefined
  readonly p2pPort: number
  readonly rpcPort: number
  readonly adminPort: number
}

/** Validators in the order that the genesis will have, so that validator i listens on base port + i. */
function plan({ validators, observers, basePort }: Shape): readonly Planned[] {
  const organisations = preset.organisations.map(({ id }) => id)
  const names = Array.from({ length: validators }, (_, i) => ({ organisation: organisations[i % organisations.length] as string, number: Math.floor(i / organisations.length) + 1 }))
  return [
    ...names.map(({ organisation, number }, i) => ({ name: `${organisation}-${number}`, organisation, p2pPort: basePort + 200 + i, rpcPort: basePort + i, adminPort: basePort + 400 + i })),
    ...Array.from({ length: observers }, (_, i) => ({ name: `observer-${i + 1}`, organisation: undefined, p2pPort: basePort + 300 + i, rpcPort: basePort + 100 + i, adminPort: basePort + 450 + i })),
  ]
}

async function makeNode(data: string, { name, organisation, p2pPort, rpcPort, adminPort }: Planned, passphrase: string, passphraseFile: string): Promise<NodeCard> {
  const folder = path.join(data, 'nodes', name)
  const made = await createNodeFolder(
    folder,
    {
      name,
      organisation,
      addresses: [`${host}:${p2pPort}`],
      p2pHost: host,
      p2pPort,
      rpcHost: host,
      rpcPort,
      adminPort,
      passphraseFile,
      passphraseIsRandom: true,
      genesis: path.join(data, 'genesis.json'),
      // all of the devnet shares this machine
      limits: { verifyWorkers: availableParallelism() >= 8 ? 2 : 1, rpcRequestsPerSecond: 1_000_000, senderTransactionsPerSecond: 1_000_000 },
    },
    passphrase,
  )
  return readNodeCard(readFileSync(made.files[2] as string, 'utf8'), name)
}

function nodesOf(data: string, { validators, observers }: Genesis, { basePort }: Shape): readonly DevnetNode[] {
  const of = (name: string, role: DevnetNode['role'], organisation: string | undefined, rpcPort: number): DevnetNode => {
    const folder = path.join(data, 'nodes', name)
    return { name, role, organisation, folder, config: path.join(folder, 'config.json'), log: path.join(folder, 'node.log'), rpc: `http://${host}:${rpcPort}` }
  }
  return [
    ...validators.map(({ name, organisation }, i) => of(name, 'validator', organisation, basePort + i)),
    ...observers.map(({ name }, i) => of(name, 'observer', undefined, basePort + 100 + i)),
  ]
}

function seedFile(data: string, office: string): string {
  return path.join(data, 'offices', `${office}.seed`)
}

function readSeed(file: string): Uint8Array {
  const seed = fromHex(readFileSync(file, 'utf8').trim())
  if (seed?.length !== seedBytes) throw new Error(`${file} holds no seed. Start the devnet with --fresh.`)
  return seed
}
