// The operator's command line: a network of one's own in the commands of the README, and what it says when something is wrong.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t, { type Test } from 'tap'
import { presets } from '../../genesis/presets/index.ts'
import { randomSeed, toBase64url, walletFromSeed } from '../../rpc/client/index.ts'
import { createKeystore } from '../../node/keystore.ts'
import { freeBasePort } from '../../scripts/devnet/ports.ts'
import { until } from './cluster.ts'

const program = path.join(import.meta.dirname, '../../node/cli/main.ts')
const passphrase = randomBytes(24).toString('base64url')

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function spawnCli(folder: string, args: readonly string[]): ChildProcess {
  const { DONGBAEK_PASSPHRASE: _, ...env } = process.env
  return spawn(process.execPath, [program, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env })
}

function cli(folder: string, ...args: readonly string[]): Promise<Ended> {
  const child = spawnCli(folder, args)
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })))
}

function temporary(t: Test): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-cli-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  writeFileSync(path.join(folder, 'passphrase'), `${passphrase}\n`, { mode: 0o600 })
  return folder
}

t.test('a network of one’s own', { timeout: 240_000 }, async (t) => {
  const folder = temporary(t)
  const base = await freeBasePort()
  const own = (...args: readonly string[]): Promise<Ended> => cli(folder, ...args)
  const good = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await own(...args)
    if (code !== 0) throw new Error(`dongbaek ${args.join(' ')} ended with ${code}: ${err}`)
    return out
  }

  for (const [i, name] of ['busan-1', 'bnk-1'].entries()) {
    const ports = ['--p2p-port', String(base + 200 + i), '--rpc-port', String(base + i), '--address', `127.0.0.1:${base + 200 + i}`, ...(i === 0 ? ['--admin-port', String(base + 400)] : [])]
    t.match(await good('init', name, '--name', name, '--organisation', name.split('-')[0] as string, ...ports, '--passphrase-file', 'passphrase'), /card\.json +public/)
  }
  t.match(await own('init', 'busan-1', '--name', 'busan-1', '--passphrase-file', 'passphrase'), { code: 1, err: /cli\/folder-in-use/ })

  // one key as an operator makes it, the others quicker
  t.match(await good('keys', 'create', 'registrar.json', '--label', 'registrar', '--passphrase-file', 'passphrase'), /Keep a copy/)
  const offices = (JSON.parse(await good('genesis', 'offices', '--json')) as { office: string }[]).map(({ office }) => office)
  t.strictSame(offices, presets['busan']?.offices.map(({ id }) => id))
  const cards: string[] = []
  for (const office of offices) {
    const file = path.join(folder, `${office}.card.json`)
    if (office === 'registrar') writeFileSync(file, await good('keys', 'card', 'registrar.json', '--office', office))
    else writeFileSync(file, JSON.stringify({ office, publicKey: toBase64url(walletFromSeed(randomSeed()).key.subarray(2)) }))
    cards.push('--office', file)
  }
  const nodes = ['--validator', 'busan-1/card.json', '--validator', 'bnk-1/card.json']
  const build = ['genesis', 'build', '--name', 'own', ...nodes, ...cards, '--time', '2026-05-14T09:00:00+09:00']
  const built = await good(...build, '--out', 'busan-1/genesis.json')
  t.match(built, /chain id {5}own-[0-9a-f]{16}/)
  const [hash] = (await good('genesis', 'hash', 'busan-1/genesis.json')).split(' ')
  t.match(await good('genesis', 'check', 'busan-1/genesis.json'), new RegExp(`The genesis is sound\\.[^]*hash {9}${hash}[^]*2 validators tolerate no faulty one`))
  await good(...build, '--out', 'bnk-1/genesis.json')
  t.equal((await good('genesis', 'hash', 'bnk-1/genesis.json')).split(' ')[0], hash, 'the same cards give the same genesis to everyone')

  const running = ['busan-1', 'bnk-1'].map((name) => spawnCli(folder, ['start', '--config', `${name}/config.json`]))
  t.teardown(() => running.forEach((child) => child.kill('SIGKILL')))
  const rpc = ['--rpc', `http://127.0.0.1:${base}`]
  await until(async () => (await own('status', ...rpc)).code === 0, 60_000, 'the network is well')
  t.match(await good('status', ...rpc), /busan-1 is well\.[^]*head {8}genesis, no block yet/)
  t.match(JSON.parse(await good('status', ...rpc, '--json')), { healthy: true, chainId: /^own-/, problems: [] })
  t.match(await good('validators', ...rpc), /busan-1 +busan .*asked +primary\n.*bnk-1 +bnk .*connected/)
  t.match(await good('query', '--list', ...rpc), /tx_submit/)
  t.match(JSON.parse(await good('query', 'map_livingAreas', ...rpc)), { type: 'FeatureCollection', features: { length: 62 } })
  t.match(await own('query', 'node_staus', ...rpc), { code: 1, err: /rpc\/method-not-found.*--list/ })

  const citizen = path.join(folder, 'citizen.json')
  const seed = randomSeed()
  await createKeystore(citizen, { label: 'citizen', passphrase, passphraseIsRandom: true, seed })
  const { did, didKey } = walletFromSeed(seed)
  const payload = JSON.stringify({ keys: [{ key: toBase64url(didKey.key), relationships: didKey.relationships }], services: [] })
  const send = ['tx', 'send', 'did.register', '--payload', payload, '--keystore', 'citizen.json', '--passphrase-file', 'passphrase', ...rpc]
  t.match(await own(...send), { code: 1, err: /did\/registrar-missing/ }, 'nobody countersigned: not even ordered')
  const registered = await good(...send, '--countersign', 'registrar.json')
  t.match(registered, /done: final in block 1, place 0\n.*did\.registered/)
  const update = JSON.stringify({ baseVersion: 7, keys: [{ key: toBase64url(didKey.key), relationships: didKey.relationships }], services: [] })
  t.match(await own('tx', 'send', 'did.update', '--payload', update, '--keystore', 'citizen.json', '--passphrase-file', 'passphrase', ...rpc), { code: 3, out: /refused, did\// }, 'refused by a rule')
  t.match(JSON.parse(await good('query', 'did_resolve', `did=${did}`, ...rpc)), { didDocument: { id: did } })
  const id = registered.split(' ')[0] as string
  t.match(JSON.parse(await good('tx', 'get', id, ...rpc)), { receipt: { status: 'ok' } })
  // an id in base64url may begin with a hyphen, and is no option then
  t.match(await own('tx', 'get', `-${'A'.repeat(42)}`, ...rpc), { code: 1, err: /tx\/not-found/ })

  const admin = ['--admin', `http://127.0.0.1:${base + 400}`]
  t.match(await good('admin', 'log-level', ...admin), /from level info on\.\n/)
  t.match(await good('admin', 'log-level', 'debug', ...admin), /from level debug on, until the next start/)
  t.match(await own('admin', 'log-level', 'loud', ...admin), { code: 2, err: /one of debug, info/ })
  t.match(JSON.parse(await good('admin', 'snapshot', '--json', ...admin)), { state: /^(?:making|waiting)$/ })
  t.match(await own('admin', 'stop', '--admin', `http://127.0.0.1:${base + 401}`), { code: 1, err: /client\/unreachable.*admin\.port/ }, 'the other node has none')

  const ended = running.map((child) => new Promise((resolve) => child.on('exit', resolve)))
  t.match(await good('admin', 'stop', ...admin), /The node stops/)
  running[1]?.kill('SIGTERM')
  t.strictSame(await Promise.all(ended), [0, 0], 'both stop a node in order')
  t.match(await own('status', ...rpc), { code: 1, err: /client\/unreachable.*no node answers/ })
})

t.test('what is wrong is said, with what to do', async (t) => {
  const folder = temporary(t)
  const cases: readonly (readonly [args: readonly string[], code: number, said: RegExp])[] = [
    [['--help'], 0, /Usage: dongbaek/],
    [['--version'], 0, /^\d+\.\d+\.\d+/],
    [['start', '--help'], 0, /--rpc-port.*DONGBAEK_RPC_PORT/],
    [['strat'], 2, /unknown command 'strat'[^]*start/],
    [['init', 'x'], 2, /--name/],
    [['init', 'x', '--name', 'x', '--rpc-port', '99999'], 2, /a port is a number/],
    [['init', 'x', '--name', 'x'], 1, /keystore\/no-passphrase/],
    [['keys', 'show', 'nothing.json'], 1, /keystore\/missing/],
    [['genesis', 'check', 'nothing.json'], 1, /cli\/file.*Check the path/],
    [['genesis', 'check', 'passphrase'], 1, /genesis\/not-json/],
    [['genesis', 'build', '--name', 'own'], 1, /genesis\/office-missing.*governor-busan/],
    [['start', '--config', 'nothing.json'], 1, /config\/missing-file.*dongbaek init/],
    [['keys', 'api', 'map-indexer', '--per-second', '500'], 0, /Authorization: Bearer [A-Za-z0-9_-]{43}"[^]*\{"name":"map-indexer","hash":"[A-Za-z0-9_-]{43}","perSecond":500\}/],
    [['keys', 'api', 'Map', '--per-second', '500'], 1, /cli\/argument.*lower-case/],
    [['keys', 'api', 'map', '--per-second', '0'], 2, /from 1 to 1000000/],
    [['query', 'node_status', 'height'], 1, /cli\/argument.*name=value/],
  ]
  const ends = await Promise.all(cases.map(([args]) => cli(folder, ...args)))
  for (const [i, [args, code, said]] of cases.entries()) {
    const ended = ends[i] as Ended
    t.equal(ended.code, code, args.join(' '))
    t.match(ended.out + ended.err, said, args.join(' '))
    t.notMatch(ended.err, /at .*\.ts:\d+/, `${args.join(' ')}: no stack`)
  }
  const asJson = await cli(folder, 'genesis', 'check', 'passphrase', '--json')
  t.match(JSON.parse(asJson.err), { error: { code: 'genesis/not-json' } })
  await cli(folder, 'keys', 'create', 'key.json', '--label', 'x', '--passphrase-file', 'passphrase')
  writeFileSync(path.join(folder, 'other'), 'another long passphrase\n', { mode: 0o600 })
  t.match(await cli(folder, 'keys', 'change-passphrase', 'key.json', '--passphrase-file', 'other', '--new-passphrase-file', 'passphrase'), { code: 1, err: /keystore\/passphrase-wrong/ })
  t.match(await cli(folder, 'keys', 'change-passphrase', 'key.json', '--passphrase-file', 'passphrase', '--new-passphrase-file', 'other'), { code: 0 })
  t.match(JSON.parse((await cli(folder, 'keys', 'show', 'key.json', '--json')).out), { label: 'x', publicKey: JSON.parse(readFileSync(path.join(folder, 'key.json'), 'utf8')).publicKey as string, did: /^did:dongbaek:/ })
  chmodSync(path.join(folder, 'key.json'), 0o644)
  t.match(await cli(folder, 'keys', 'show', 'key.json'), { code: 1, err: /keystore\/permissions.*chmod 600/ })
})
