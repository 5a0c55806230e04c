// dongbaek init: the folder of a new node: its key, its configuration, and the card to hand to whoever builds the genesis.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { writeNodeCard } from '../../genesis/card.ts'
import { toBase64url, utf8 } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { JsonObject } from '../../primitives/schema.ts'
import type { Config } from '../config.ts'
import { codeOfSystem, writeFileAtomically } from '../files.ts'
import { createKeystore } from '../keystore.ts'
import { markUnused } from '../unused-key.ts'
import { votesFolder } from '../votelog.ts'
import { answer, type JsonOption } from './output.ts'
import { newPassphrase } from './passphrase.ts'

const dataFolder = 'data'

export interface NodeFolder {
  readonly name: string
  readonly organisation: string | undefined
  /** `host:port` at which other nodes reach it, if any. */
  readonly addresses: readonly string[]
  /** Every address of the machine unless given. */
  readonly p2pHost?: string
  readonly p2pPort: number
  readonly rpcHost: string
  readonly rpcPort: number
  /** None unless given. */
  readonly adminPort?: number | undefined
  readonly passphraseFile: string | undefined
  /** As createKeystore takes it. */
  readonly passphraseIsRandom?: boolean
  /** `genesis.json` in the folder unless given. */
  readonly genesis?: string
  /** Where the defaults do not fit. */
  readonly limits?: Readonly<Partial<Config['limits']>>
}

/** Writes keystore.json, config.json and card.json, and that the key is unused. Throws `cli/folder-in-use` where one of them exists. */
export async function createNodeFolder(folder: string, node: NodeFolder, passphrase: string): Promise<{ readonly publicKey: Uint8Array; readonly files: readonly string[] }> {
  const [keystore, config, card] = ['keystore.json', 'config.json', 'card.json'].map((file) => join(folder, file)) as [string, string, string]
  const taken = [keystore, config, card].find((file) => existsSync(file))
  if (taken !== undefined) throw new DongbaekError('cli/folder-in-use', `${taken} exists already. Choose an empty folder, or start the node that is there`, { file: taken })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { publicKey } = await createKeystore(keystore, { label: node.name, passphrase, passphraseIsRandom: node.passphraseIsRandom ?? false })
  markUnused(votesFolder(join(folder, dataFolder)), publicKey)
  const { name, organisation, addresses } = node
  writeFileAtomically(card, utf8(writeNodeCard({ name, publicKey, addresses, ...(organisation === undefined ? {} : { organisation }) })), 0o644)
  writeFileAtomically(config, utf8(`${JSON.stringify(configOf(folder, node), undefined, 2)}\n`), 0o644)
  return { publicKey, files: [keystore, config, card] }
}

/** Paths inside the folder, or near it, are written relative, so that the folder can be moved. */
function configOf(folder: string, node: NodeFolder): JsonObject {
  const near = (path: string): string => (isAbsolute(path) ? relative(folder, path) : path)
  return {
    name: node.name,
    role: node.organisation === undefined ? 'observer' : 'validator',
    dataDir: dataFolder,
    genesis: near(node.genesis ?? 'genesis.json'),
    keystore: 'keystore.json',
    ...(node.passphraseFile === undefined ? {} : { passphraseFile: near(node.passphraseFile) }),
    p2p: { ...(node.p2pHost === undefined ? {} : { host: node.p2pHost }), port: node.p2pPort },
    rpc: { host: node.rpcHost, port: node.rpcPort },
    ...(node.adminPort === undefined ? {} : { admin: { port: node.adminPort } }),
    ...(node.limits === undefined ? {} : { limits: node.limits }),
  }
}

interface InitOptions extends JsonOption {
  readonly name: string
  readonly organisation?: string
  readonly address: readonly string[]
  readonly p2pPort: number
  readonly rpcHost: string
  readonly rpcPort: number
  readonly adminPort?: number
  readonly passphraseFile?: string
}

export function portNumber(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535')
  return port
}

export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new DongbaekError('cli/file', `cannot read ${file} (${codeOfSystem(cause)}). Check the path`, { file }, { cause })
  }
}

export function addInit(program: Command): void {
  program
    .command('init <folder>')
    .description('make the folder of a new node: key, configuration, and the card for whoever builds the genesis')
    .requiredOption('--name <name>', 'name of the node, unique in the network')
    .option('--organisation <name>', 'the organisation whose validator it is; without one it is an observer')
    .addOption(new Option('--address <host:port>', 'where other nodes reach it; may be repeated').argParser(collect).default([], 'none'))
    .option('--p2p-port <port>', 'port to listen at for other nodes', portNumber, 26_400)
    .option('--rpc-host <host>', 'address to serve JSON-RPC at', '127.0.0.1')
    .option('--rpc-port <port>', 'port to serve JSON-RPC at', portNumber, 26_600)
    .option('--admin-port <port>', 'loopback port of the administration (dongbaek admin), usually 26500; left out, there is none', portNumber)
    .option('--passphrase-file <file>', 'file with the passphrase (mode 0600), also used at start; else DONGBAEK_PASSPHRASE, else you are asked')
    .option('--json', 'answer in JSON')
    .action(async (folderName: string, options: InitOptions) => {
      const folder = resolve(folderName)
      const passphraseFile = options.passphraseFile === undefined ? undefined : resolve(options.passphraseFile)
      const passphrase = await newPassphrase(passphraseFile, `Passphrase for the key of ${options.name}: `)
      const { name, organisation, address, p2pPort, rpcHost, rpcPort, adminPort } = options
      const made = await createNodeFolder(folder, { name, organisation, addresses: address, p2pPort, rpcHost, rpcPort, adminPort, passphraseFile }, passphrase)
      answer(options, { folder, name, publicKey: toBase64url(made.publicKey), files: made.files }, [
        `Made ${folder}:`,
        '  keystore.json  the key, encrypted; back it up together with the passphrase',
        '  config.json    the configuration; "dongbaek start --help" lists every key',
        '  card.json      public; hand it to whoever builds the genesis',
        `Next: put genesis.json into ${folder}, compare its hash with the other operators, and run`,
        `  dongbaek start --config ${join(folderName, 'config.json')}`,
      ])
    })
}
