// A chain of one network of four, made without the network (scripts/transfer/chain.ts): one block a minute until an hour ago.
import { buildGenesis } from '../../genesis/ceremony.ts'
import type { Genesis } from '../../genesis/genesis.ts'
import { buildChain } from '../../scripts/transfer/chain.ts'
import { officeCards, publicKeyOf, seedOf, smallPreset } from './genesis.ts'

const stepMs = 60_000
const names = ['validator-0', 'validator-1', 'validator-2', 'validator-3']

export interface LongChain {
  readonly genesis: Genesis
  readonly build: (dataDir: string, accounts: number, snapshotAt: number) => Promise<unknown>
}

export function longChain(blocks: number): LongChain {
  const genesis = buildGenesis(smallPreset, {
    name: 'test',
    timeMs: Date.now() - (blocks + 60) * stepMs,
    nodes: names.map((name, i) => ({ name, publicKey: publicKeyOf(name), addresses: [`127.0.0.1:${20_000 + i}`], organisation: i % 2 === 0 ? 'busan' : 'bnk' })),
    offices: officeCards,
  })
  return {
    genesis,
    build: (dataDir, accounts, snapshotAt) => buildChain({ dataDir, genesis, seeds: genesis.validators.map(({ name }) => seedOf(name)), registrarSeed: seedOf('registrar'), accounts, blocks, stepMs, snapshotAt, onProgress: () => {} }),
  }
}
