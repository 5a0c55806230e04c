// The operator's commands on the data folder of a node that does not run.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { chainIdOf, writeGenesis } from '../../genesis/genesis.ts'
import { run } from '../../node/cli/main.ts'
import { storeFolder } from '../../node/joined-store.ts'
import { silentLog } from '../../node/log.ts'
import { readEpochs } from '../../node/membership.ts'
import { openChain } from '../../node/open-chain.ts'
import { openStore } from '../../node/store.ts'
import { verifyStore } from '../../node/verify-store.ts'
import type { StoreOp } from '../../node/world.ts'
import { utf8 } from '../../primitives/bytes.ts'
import { longChain } from '../support/long-chain.ts'

const blocks = 48
const { genesis, build } = longChain(blocks)
const chainId = chainIdOf(genesis)
const folder = t.testdir({ keystore: '{}', chain: {} })
await build(join(folder, 'chain'), 200, 32)
writeFileSync(join(folder, 'genesis.json'), writeGenesis(genesis))
writeFileSync(join(folder, 'config.json'), JSON.stringify({ name: 'validator-0', role: 'validator', dataDir: 'none', genesis: 'genesis.json', keystore: 'keystore' }))

interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

interface Said {
  readonly code: number | undefined
  readonly out: string
  readonly err: string
}

async function cli(command: string, dataDir: string, ...args: readonly string[]): Promise<Said> {
  const said = { out: '', err: '' }
  const [out, err] = [process.stdout.write.bind(process.stdout), process.stderr.write.bind(process.stderr)]
  process.stdout.write = ((text: string) => ((said.out += text), true)) as typeof out
  process.stderr.write = ((text: string) => ((said.err += text), true)) as typeof err
  try {
    const code = await run([command, '--config', join(folder, 'config.json'), '--data-dir', dataDir, '--json', ...args])
    return { code, ...said }
  } finally {
    process.stdout.write = out
    process.stderr.write = err
  }
}

let copies = 0
function copy(): string {
  const dataDir = join(folder, `copy-${copies++}`)
  cpSync(join(folder, 'chain'), dataDir, { recursive: true })
  return dataDir
}

t.test('verify walks it all, and names the first thing that does not hold', async (t) => {
  const whole = await cli('verify', copy())
  t.match(JSON.parse(whole.out), { holds: true, head: blocks, oldest: 1, blocks, transactions: 200, certificates: 3 })
  const height = (prefix: string, at: number): Uint8Array => Uint8Array.of(prefix.charCodeAt(0), 0, 0, 0, 0, 0, 0, 0, at)
  for (const [what, change, words] of [
    ['a value of the state', (value: Uint8Array) => value.map((byte, i) => (i === value.length - 1 ? byte ^ 1 : byte)), /chain\.block\/0*20 /],
    ['a block', () => undefined, /block 20/],
    ['a certificate', (value: Uint8Array) => value.map((byte, i) => (i === value.length - 1 ? byte ^ 1 : byte)), /checkpoint certificate of height 32/],
    ['a page of the tree', () => undefined, /state tree/],
  ] as const) {
    const dataDir = copy()
    const database = await openStore({ folder: storeFolder(dataDir), chainId })
    const key = { 'a value of the state': utf8('schain.block/0000000000000020'), 'a block': height('b', 20), 'a certificate': height('c', 32), 'a page of the tree': utf8('n7') }[what]
    const changed = change(database.get(key) as Uint8Array)
    const op: StoreOp = changed === undefined ? { type: 'del', key } : { type: 'put', key, value: changed }
    await database.batch([op], { sync: true })
    await database.close()
    const { code, err } = await cli('verify', dataDir)
    t.equal(code, 1, what)
    t.match(err, /store\/damaged/)
    t.match(err, what === 'a value of the state' ? /block 20|chain\.block/ : words, what)
  }
})

t.test('verify walks the indexes down to the oldest block, beyond what a start looks at', async (t) => {
  const database = await openStore({ folder: storeFolder(copy()), chainId })
  t.teardown(async () => database.close())
  const chain = await openChain(database, genesis, 16, silentLog)
  const verified = async (): Promise<unknown> => verifyStore(database, chain, chainId, readEpochs(chain.store), () => {})
  await verified()
  const rows = async (prefix: string): Promise<readonly Row[]> => database.page({ gte: utf8(prefix), lt: utf8(String.fromCharCode(prefix.charCodeAt(0) + 1)), limit: 1_000 })
  const [places, listed, blocks] = await Promise.all(['t', 'd', 'h'].map(rows)) as [readonly Row[], readonly Row[], readonly Row[]]
  for (const [row, value, words] of [
    [places[100], undefined, /the place of transaction \d+ of block \d+/],
    [places[100], places[101]?.value, /the place of transaction/],
    [listed[100], undefined, /the entry in a signer's list of transaction \d+ of block \d+/],
    [listed[100], listed[101]?.value, /the entry in a signer's list/],
    [blocks[20], undefined, /block \d+/],
  ] as const) {
    const { key, value: before } = row as Row
    await database.batch([value === undefined ? { type: 'del', key } : { type: 'put', key, value }], { sync: false })
    await t.rejects(verified(), { code: 'store/damaged', message: words })
    await database.batch([{ type: 'put', key, value: before }], { sync: false })
  }
  // a block of a newer time over this head
  const { key, value } = (await database.page({ gte: utf8('p'), lt: utf8('q'), reverse: true, limit: 1 }))[0] as Row
  const above = key.with(8, blocks.length + 1)
  await database.batch([{ type: 'put', key: above, value }], { sync: false })
  await t.rejects(verified(), { code: 'store/damaged', message: /above its own head/ })
  await database.batch([{ type: 'del', key: above }], { sync: false })
  await verified()
})

t.test('cometbft #169: the index takes half of the disk. Here a transaction has a place and one entry for each signer, a fraction of what the blocks take', async (t) => {
  const database = await openStore({ folder: storeFolder(copy()), chainId })
  t.teardown(async () => database.close())
  const taken = { blocks: { rows: 0, bytes: 0 }, index: { rows: 0, bytes: 0 }, hashes: { rows: 0, bytes: 0 } }
  for await (const { key, value } of database.iterate({})) {
    const kind = { b: 'blocks', p: 'blocks', r: 'blocks', t: 'index', d: 'index', h: 'hashes' }[String.fromCharCode(key[0] as number)] as keyof typeof taken | undefined
    if (kind === undefined) continue
    taken[kind].rows++
    taken[kind].bytes += key.length + value.length
  }
  const [transactions, signers] = [200, 2]
  t.equal(taken.index.rows, transactions * (1 + signers))
  t.equal(taken.hashes.rows, blocks)
  const entryBytesMax = 1 + 64 + 1 + 21 + 32
  const perTransaction = taken.index.bytes / transactions
  t.comment(`${perTransaction.toFixed(0)} bytes of index a transaction, ${(taken.blocks.bytes / transactions).toFixed(0)} of blocks`)
  t.ok(perTransaction <= 1 + 32 + 16 + signers * entryBytesMax)
  t.ok(taken.index.bytes < taken.blocks.bytes / 2)
})

t.test('two nodes make the same snapshot, byte for byte', async (t) => {
  const [a, b] = [copy(), copy()]
  const made = await cli('snapshot', a, '--out', join(folder, 'a.snapshot'))
  const again = await cli('snapshot', b, '--out', join(folder, 'b.snapshot'))
  const [one, two] = [made, again].map(({ out }) => JSON.parse(out) as { hash: string; height: number; parts: number }) as [{ hash: string; height: number; parts: number }, { hash: string }]
  t.equal(one.height, blocks)
  t.equal(one.hash, two.hash)
  t.ok(readFileSync(join(folder, 'a.snapshot')).equals(readFileSync(join(folder, 'b.snapshot'))))
  t.match(await cli('snapshot', a, '--out', join(folder, 'a.snapshot')), { code: 1, err: /cli\/exists/ })
})

t.test('a backup has no votes, and is put into an empty folder only', async (t) => {
  const dataDir = copy()
  mkdirSync(join(dataDir, 'votes'))
  const target = join(folder, 'backup')
  await cli('backup', dataDir, '--out', target)
  t.same(readdirSync(target).sort((x, y) => (x < y ? -1 : 1)), ['genesis.json', 'keystore', 'store', 'store.json'])
  t.match(await cli('restore', dataDir, '--from', target), { code: 1, err: /restore\/not-empty/ })
  const restored = join(folder, 'restored')
  await cli('restore', restored, '--from', target)
  t.match(JSON.parse((await cli('verify', restored)).out), { holds: true, head: blocks })
  t.match(await cli('restore', join(folder, 'other'), '--from', folder), { code: 1, err: /restore\/no-backup/ })
})

t.test('resync moves the database away, the votes only when they are said to be lost, and nothing of a node that runs', async (t) => {
  const dataDir = copy()
  mkdirSync(join(dataDir, 'votes'))
  const database = await openStore({ folder: storeFolder(dataDir), chainId })
  t.match(await cli('resync', dataDir), { code: 1, err: /store\/locked/ })
  await database.close()
  const { movedTo } = JSON.parse((await cli('resync', dataDir)).out) as { movedTo: string }
  t.same([existsSync(join(movedTo, 'store')), existsSync(join(movedTo, 'store.json')), existsSync(storeFolder(dataDir)), existsSync(join(dataDir, 'votes'))], [true, true, false, true])
  t.match(JSON.parse((await cli('resync', dataDir)).out), { movedTo: null })
  const lost = JSON.parse((await cli('resync', dataDir, '--votes-lost')).out) as { movedTo: string }
  t.same([existsSync(join(lost.movedTo, 'votes')), existsSync(join(dataDir, 'votes'))], [true, false])
})
