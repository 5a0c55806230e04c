// dongbaek tx: send a transaction signed by keystores, hand in bytes made elsewhere, and read what became of one.
import type { Command } from 'commander'
import { Option } from 'commander'
import type { Did } from '../../primitives/brand.ts'
import { fromBase64url, toBase64url } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { JsonObject, Schema } from '../../primitives/schema.ts'
import { buildTransaction, type Client, type KindName, payloadSchemas, type ReceiptJson, type SignedTransaction, signTransaction, submitAndWait, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import { openKeystore } from '../keystore.ts'
import { collect, readText } from './init.ts'
import { answer, exitUnwell } from './output.ts'
import { existingPassphrase } from './passphrase.ts'
import { callByName, connect, objectFrom, type RemoteOptions, unreachable, withRemote } from './remote.ts'

interface SendOptions extends RemoteOptions {
  readonly payload: string
  readonly keystore: string
  readonly passphraseFile?: string
  readonly did?: string
  readonly countersign: readonly string[]
  readonly simulate?: boolean
  readonly printOnly?: boolean
}

/** Remote errors in an operator's words. */
async function asked<T>(rpc: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw unreachable(error, rpc)
  }
}

function isKind(kind: string): kind is KindName {
  return Object.hasOwn(payloadSchemas, kind)
}

/** Builds and signs by the keystores: the sender's first, then countersigners. */
async function signed(client: Client, kind: string, options: SendOptions): Promise<SignedTransaction> {
  if (!isKind(kind)) throw new DongbaekError('tx/unknown-kind', `there is no kind ${kind}. Known are ${Object.keys(payloadSchemas).join(', ')}`, { kind })
  const text = options.payload.startsWith('@') ? readText(options.payload.slice(1)) : options.payload
  const schema = payloadSchemas[kind] as unknown as Schema<never>
  const payload = schema.fromJson(objectFrom(text), 'payload')
  const signers: Wallet[] = []
  const shared = options.passphraseFile === undefined && process.stdin.isTTY ? undefined : await existingPassphrase(options.passphraseFile, '')
  for (const [i, file] of [options.keystore, ...options.countersign].entries()) {
    const { seed } = await openKeystore(file, shared ?? (await existingPassphrase(undefined, `Passphrase for ${file}: `)))
    signers.push(walletFromSeed(seed, i === 0 ? (options.did as Did | undefined) : undefined))
  }
  const { chainId } = await client.call('node_status', {})
  const [sender, ...countersigners] = signers as [Wallet, ...Wallet[]]
  return signTransaction(buildTransaction({ chain: chainId, kind, sender, countersigners, payload }), signers)
}

function printReceipt(options: RemoteOptions, receipt: ReceiptJson, isFinal: boolean): void {
  const { id, height, index, status, code, data, events } = receipt
  const fate = isFinal ? `${status === 'ok' ? 'done' : `refused, ${String(code)}`}: final in block ${height}, place ${index}` : `would be ${status === 'ok' ? 'done' : `refused, ${String(code)}`}`
  answer(options, receipt as unknown as JsonObject, [`${id}  ${fate}`, ...(data === undefined ? [] : [`  ${JSON.stringify(data)}`]), ...events.map((event) => `  ${JSON.stringify(event)}`)])
  if (status !== 'ok') process.exitCode = exitUnwell
}

/** Stands before an id that begins with a hyphen, until it is read (main.ts). */
export const idMark = 'id:'

function unmarked(argument: string): string {
  return argument.startsWith(idMark) ? argument.slice(idMark.length) : argument
}

export function addTx(program: Command): void {
  const tx = program.command('tx').description('transactions: send, submit, get, wait')

  withRemote(
    tx
      .command('send <kind>')
      .description('build a transaction, sign it by keystores, hand it in and wait for the receipt; exit code 3 when a rule refuses it')
      .requiredOption('--payload <json>', 'the payload as JSON, or @file')
      .requiredOption('--keystore <file>', 'keystore of the sender')
      .option('--passphrase-file <file>', 'file with the passphrase of the keystores; else DONGBAEK_PASSPHRASE, else you are asked')
      .option('--did <did>', 'the sender, where the key was added to a DID later')
      .addOption(new Option('--countersign <file>', 'keystore of a countersigner; may be repeated').argParser(collect).default([], 'none'))
      .option('--simulate', 'show the receipt that it would have, and send nothing')
      .option('--print-only', 'print the signed bytes for "tx submit", and send nothing'),
  ).action(async (kind: string, options: SendOptions) => {
    const client = connect(options)
    await asked(options.rpc, async () => {
      const transaction = await signed(client, kind, options)
      const bytes = toBase64url(transaction.bytes)
      if (options.printOnly === true) answer(options, { id: toBase64url(transaction.id), transaction: bytes }, [bytes])
      else if (options.simulate === true) printReceipt(options, await client.call('tx_simulate', { transaction: bytes }), false)
      else printReceipt(options, await submitAndWait(client, transaction), true)
    })
  })

  withRemote(tx.command('submit <transaction>').description('hand in signed bytes (base64url, or @file) and print the id')).action(async (argument: string, options: RemoteOptions) => {
    const text = (argument.startsWith('@') ? readText(argument.slice(1)) : argument).trim()
    if (fromBase64url(text) === undefined) throw new DongbaekError('cli/argument', 'the transaction is not base64url without padding')
    const { id } = await asked(options.rpc, () => connect(options).call('tx_submit', { transaction: text }))
    answer(options, { id }, [id])
  })

  withRemote(tx.command('get').argument('<id>', 'of the transaction', unmarked).description('print a final transaction with its receipt, as JSON')).action(async (id: string, options: RemoteOptions) => {
    answer({ json: true }, await asked(options.rpc, () => callByName(connect(options), 'tx_get', { id })), [])
  })

  withRemote(tx.command('wait').argument('<id>', 'of the transaction', unmarked).description('wait up to 10 s for the final receipt; exit code 3 when a rule refused it')).action(async (id: string, options: RemoteOptions) => {
    const timeoutMs = 10_000
    printReceipt(options, await asked(options.rpc, () => connect(options).call('tx_wait', { id, timeoutMs }, { waitMs: timeoutMs })), true)
  })
}
