// dongbaek keys: make a key, show what of it is public, change its passphrase.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { writeOfficeCard } from '../../genesis/card.ts'
import { officeDid } from '../../genesis/ceremony.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import type { JsonObject } from '../../primitives/schema.ts'
import { changePassphrase, createKeystore, type KeystoreInfo, readKeystoreInfo } from '../keystore.ts'
import { answer, type JsonOption } from './output.ts'
import { existingPassphrase, newPassphrase } from './passphrase.ts'

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
