// Load by RPC while power is cut: citizens register, one after the other in several lanes, through any validator. Every receipt that was answered is kept.
import { setTimeout as pause } from 'node:timers/promises'
import { toBase64url } from '../../primitives/bytes.ts'
import { buildTransaction, type Client, createClient, randomSeed, type ReceiptJson, signTransaction, walletFromSeed } from '../../rpc/client/index.ts'
import type { Network } from '../devnet/network.ts'
import type { Random } from './random.ts'

const waitMs = 2_000

export interface Load {
  /** All receipts that were answered as final, in that order. */
  readonly acknowledged: readonly ReceiptJson[]
  readonly stop: () => Promise<void>
}

export function startLoad(network: Network, urls: readonly string[], lanes: number, random: Random): Load {
  const registrar = walletFromSeed(network.seedOf('registrar'))
  const acknowledged: ReceiptJson[] = []
  const clients: readonly Client[] = urls.map((url) => createClient({ url, timeoutMs: waitMs, rounds: 1 }))
  let stopped = false
  const lane = async (): Promise<void> => {
    while (!stopped) {
      const wallet = walletFromSeed(randomSeed())
      const signed = await signTransaction(buildTransaction({ chain: network.chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } }), [wallet, registrar])
      const client = random.pick(clients)
      try {
        await client.call('tx_submit', { transaction: toBase64url(signed.bytes) })
        acknowledged.push(await client.call('tx_wait', { id: toBase64url(signed.id), timeoutMs: waitMs }, { waitMs }))
      } catch {
        // without an answer its fate is open, so nothing is owed
        await pause(20)
      }
    }
  }
  const running = Array.from({ length: lanes }, lane)
  return {
    acknowledged,
    stop: async () => {
      stopped = true
      await Promise.all(running)
    },
  }
}
