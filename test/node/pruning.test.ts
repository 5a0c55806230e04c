// A node that does not keep every block: what leaves, what stays, and that what is left is a whole chain to every look at it.
import { join } from 'node:path'
import t from 'tap'
import { chainIdOf } from '../../genesis/genesis.ts'
import { storeFolder } from '../../node/joined-store.ts'
import { silentLog } from '../../node/log.ts'
import { readEpochs } from '../../node/membership.ts'
import { type OpenChain, openChain } from '../../node/open-chain.ts'
import { pruneOps } from '../../node/pruning.ts'
import { openStore } from '../../node/store.ts'
import { verifyStore } from '../../node/verify-store.ts'
import type { Store } from '../../node/world.ts'
import type { Height, TimeMs } from '../../primitives/brand.ts'
import { decodeTransaction } from '../../state/transaction.ts'
import { longChain } from '../support/long-chain.ts'

// one block a minute; transactions are valid for half an hour
const blocks = 120
const accounts = 300
const windowBlocks = 30
const { genesis, build } = longChain(blocks)
const chainId = chainIdOf(genesis)
const folder = t.testdir()
await build(join(folder, 'chain'), accounts, 64)
const database = await openStore({ folder: storeFolder(join(folder, 'chain')), chainId })
t.teardown(async () => database.close())

const open = async (): Promise<OpenChain> => openChain(database, genesis, 16, silentLog)
const rows = async (prefix: string): Promise<number> => (await database.page({ gte: Buffer.from(prefix), lt: Buffer.from([(prefix.codePointAt(0) as number) + 1]), limit: 10_000 })).length

/** As with a block at the head, until nothing leaves any more; how many steps it took. */
async function prune({ store, state }: OpenChain, keepBlocks: number, lowestSnapshot: Height | undefined, on: Store = database): Promise<number> {
  for (let steps = 0; ; steps++) {
    const ops = pruneOps({ store, state, keepBlocks, lowestSnapshot: () => lowestSnapshot }, store.head().height, store.head().timeMs)
    if (ops.length === 0) return steps
    await on.batch(ops, { sync: false })
  }
}

t.test('cometbft #169: an index without end. Old blocks leave with their places, a few at a time', async (t) => {
  const chain = await open()
  const { store } = chain
  const first = decodeTransaction(store.payload(1 as Height)?.[0] as Uint8Array)
  const last = decodeTransaction(store.payload(blocks as Height)?.[0] as Uint8Array)
  t.equal(await prune(chain, 0, undefined), 0, 'nothing leaves where all are kept')
  t.equal(await prune(chain, blocks, undefined), 0)

  await t.test('not what a snapshot still needs', async (t) => {
    await prune(chain, 40, 64 as Height)
    t.equal(store.oldest(), 64 - windowBlocks - 1)
    t.ok(store.block(store.oldest()))
  })

  t.equal(await prune(chain, 40, undefined), Math.ceil((blocks - 40 + 1 - (64 - windowBlocks - 1)) / 3), 'three with each block')
  t.equal(store.oldest(), blocks - 40 + 1)
  const kept = (accounts / blocks) * 40
  t.same([await rows('b'), await rows('p'), await rows('r'), await rows('h')], [40, 40, 40, 40])
  t.ok(Math.abs((await rows('t')) - kept) <= 2)
  t.equal(store.placeOf(first.id), undefined)
  t.match(store.placeOf(last.id), { height: blocks })
  t.same((await store.idsOf((first.signatures[0] as { signer: typeof first.signatures[0]['signer'] }).signer, undefined, 10)).items, [])
  t.equal(store.block(1 as Height), undefined)

  await t.test('what is left is whole, and opens', async (t) => {
    const again = await open()
    t.match(await verifyStore(database, again, chainId, readEpochs(again.store), () => {}), { head: blocks, oldest: blocks - 40 + 1, blocks: 40 })
    t.ok(again.state.seen.has(last))
    t.notOk(again.state.seen.has(first))
  })
})

t.test('never what could run again, however few are to be kept', async (t) => {
  const chain = await open()
  await prune(chain, 1, undefined)
  t.equal(chain.store.oldest(), blocks - windowBlocks - 1)
  const again = await open()
  const oldestMs = (again.store.block(again.store.oldest())?.header.timeMs ?? 0) as TimeMs
  t.ok(oldestMs < again.store.head().timeMs - windowBlocks * 60_000)
})
