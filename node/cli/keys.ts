// dongbaek keys: make a key, show what of it is public, change its passphrase.
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { writeOfficeCard } from '../../genesis/card.ts'
import { officeDid } from '../../genesis/ceremony.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { JsonObject } from '../../primitives/schema.ts'
import { hashOfApiKey } from '../../rpc/rates.ts'
import { apiKeyList, name as nameKind } from '../config-kinds.ts'
import { changePassphrase, createKeystore, type KeystoreInfo, readKeystoreInfo } from '../keystore.ts'
import { answer, type JsonOption } from './output.ts'
import { existingPassphrase, newPassphrase } from './passphrase.ts'

const apiKeyBytes = 32

async function describeKey({ label, publicKey }: KeystoreInfo): Promise<{ readonly json: JsonObject; readonly text: readonly string[] }> {
  // loaded here: libp2p is most of what a command would have to wait for
  const [{ peerIdFromPublicKey }, { publicKeyFromRaw }] = await Promise.all([import('@libp2p/peer-id'), import('@libp2p/crypto/keys')])
  const key = toBase64url(publicKey)
  const peerId = peerIdFromPublicKey(publicKeyFromRaw(publicKey)).toString()
  const did = officeDid(publicKey)
  return {
    json: { label, publicKey: key, peerId, did },
    text: [`label       ${label}`, `public key  ${key}`, `peer id     ${peerId}   (of a node with this key)`, `DID         ${did}   (of an office with this key)`],
  }
}

function rateArgument(text: string): number {
  const rate = Number(text)
  if (!/^[1-9]\d{0,6}$/.test(text) || rate > 1_000_000) throw new InvalidArgumentError('a whole number from 1 to 1000000')
  return rate
}

export function addKeys(program: Command): void {
  const keys = program.command('keys').description('keys of nodes and offices: create, show, change the passphrase')

  keys
    .command('create <file>')
    .description('make a new Ed25519 key and write it, encrypted, to a keystore file that only you can read')
    .requiredOption('--label <text>', 'what the key is for; stands in the file in clear')
    .option('--passphrase-file <file>', 'file with the passphrase (mode 0600); else DONGBAEK_PASSPHRASE, else you are asked')
    .option('--json', 'answer in JSON')
    .action(async (file: string, options: JsonOption & { readonly label: string; readonly passphraseFile?: string }) => {
      const path = resolve(file)
      const passphrase = await newPassphrase(options.passphraseFile, `Passphrase for ${path}: `)
      const { json, text } = await describeKey(await createKeystore(path, { label: options.label, passphrase }))
      answer(options, { file: path, ...json }, [`Wrote ${path}. Keep a copy of it and of the passphrase in two safe places: without them the key is gone.`, ...text])
    })

  keys
    .command('show <file>')
    .description('print the public part of a keystore; needs no passphrase')
    .option('--json', 'answer in JSON')
    .action(async (file: string, options: JsonOption) => {
      const { json, text } = await describeKey(readKeystoreInfo(resolve(file)))
      answer(options, json, text)
    })

  keys
    .command('card <file>')
    .description('print the card of an office, for whoever builds the genesis')
    .requiredOption('--office <name>', 'the office; "dongbaek genesis offices" lists those that a preset asks for')
    .action((file: string, options: { readonly office: string }) => {
      process.stdout.write(writeOfficeCard({ office: options.office, publicKey: readKeystoreInfo(resolve(file)).publicKey }))
    })

  keys
    .command('api <name>')
    .description('make a key for a caller of JSON-RPC who may ask more than an address may, and print what goes into rpc.keys of config.json')
    .requiredOption('--per-second <calls>', 'calls a second, weighed by the method; twice as many may be saved up', rateArgument)
    .option('--json', 'answer in JSON')
    .action((name: string, options: JsonOption & { readonly perSecond: number }) => {
      const key = toBase64url(randomBytes(apiKeyBytes))
      const entry = { name, hash: hashOfApiKey(key), perSecond: options.perSecond }
      if (apiKeyList.fromJson([entry], '') === undefined) throw new DongbaekError('cli/argument', `${name}: a name has ${nameKind.expected}`, { name })
      answer(options, { key, entry }, [
        `key      ${key}`,
        `         for the caller, as the header "Authorization: Bearer ${key}". It is shown this once.`,
        `entry    ${JSON.stringify(entry)}`,
        '         for rpc.keys in the config.json of every node that is to know it; then restart the node.',
      ])
    })

  keys
    .command('change-passphrase <file>')
    .description('seal the same key by a new passphrase')
    .option('--passphrase-file <file>', 'file with the present passphrase; else DONGBAEK_PASSPHRASE, else you are asked')
    .option('--new-passphrase-file <file>', 'file with the new passphrase; else you are asked')
    .option('--json', 'answer in JSON')
    .action(async (file: string, options: JsonOption & { readonly passphraseFile?: string; readonly newPassphraseFile?: string }) => {
      const path = resolve(file)
      const before = await existingPassphrase(options.passphraseFile, 'Present passphrase: ')
      const after = await newPassphrase(options.newPassphraseFile, 'New passphrase: ')
      await changePassphrase(path, before, after)
      answer(options, { file: path, changed: true }, [`${path} now opens with the new passphrase only. Copies of the old file still open with the old one.`])
    })
}
