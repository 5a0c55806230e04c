// The configuration: three sources, their order, and errors that an operator can act on.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { toBase64url } from '../../primitives/bytes.ts'
import { configKeys, loadConfig, type Config } from '../../node/config.ts'
import { defaultWorkers } from '../../node/verifier.ts'

const key = new Uint8Array(32).fill(4)
const least = { name: 'city-1', dataDir: 'data', genesis: '/etc/dongbaek/genesis.json', keystore: 'key.json' }

t.test('file, environment and flags, the later over the earlier; paths from where they were written', async (t) => {
  const folder = t.testdir()
  mkdirSync(join(folder, 'etc'))
  const file = join(folder, 'etc', 'config.json')
  writeFileSync(file, JSON.stringify({ ...least, role: 'validator', p2p: { port: 1, host: '::', addresses: { 'bank-1': '[::1]:7' } }, rpc: { port: 2, origins: ['https://app.example'] } }))
  const config = loadConfig({
    file: 'etc/config.json',
    environment: { DONGBAEK_RPC_PORT: '3', DONGBAEK_LOG_LEVEL: 'debug', DONGBAEK_RPC_PROXIES: '2', DONGBAEK_ADMIN_PORT: '4', DONGBAEK_PASSPHRASE: 'x', DONGBAEK_P2P_OBSERVERS: `obs-1=${toBase64url(key)}@host.example:9, obs-2=${toBase64url(new Uint8Array(32))}`, PATH: '/bin' },
    flags: { '--log-level': 'warn', dataDir: 'elsewhere', '--limits-state-cache-mib': '64', '--rpc-host': undefined },
    workingFolder: folder,
  })
  t.same(config, {
    name: 'city-1',
    role: 'validator',
    dataDir: join(folder, 'elsewhere'),
    genesis: '/etc/dongbaek/genesis.json',
    keystore: join(folder, 'etc', 'key.json'),
    passphraseFile: undefined,
    p2p: { host: '::', port: 1, addresses: { 'bank-1': '[::1]:7' }, observers: [{ name: 'obs-1', publicKey: key, addresses: ['host.example:9'] }, { name: 'obs-2', publicKey: new Uint8Array(32), addresses: [] }] },
    rpc: { host: '127.0.0.1', port: 3, origins: ['https://app.example'], proxies: 2, staleMs: 10_000, keys: [] },
    admin: { host: '127.0.0.1', port: 4 },
    log: { level: 'warn' },
    limits: { verifyWorkers: defaultWorkers(), stateCacheMiB: 64, rpcRequestsPerSecond: 200, senderTransactionsPerSecond: 100, snapshotBlocks: 10_000, keepBlocks: 0 },
  } satisfies Config)
  const fromFlags = loadConfig({ flags: { ...least, 'p2p.addresses': 'bank-1=10.0.0.1:5,bank-2=b:6' }, workingFolder: folder })
  t.same(fromFlags.p2p.addresses, { 'bank-1': '10.0.0.1:5', 'bank-2': 'b:6' })
  t.equal(fromFlags.role, 'observer')
  t.same(fromFlags.rpc, { host: '127.0.0.1', port: 26_600, origins: [], proxies: 0, staleMs: 10_000, keys: [] })
  t.same(loadConfig({ flags: { ...least, 'rpc.origins': 'https://a.example, http://localhost:8080, capacitor://localhost,http://[::1]:3000' } }).rpc.origins, ['https://a.example', 'http://localhost:8080', 'capacitor://localhost', 'http://[::1]:3000'])
  t.same(loadConfig({ flags: { ...least, 'rpc.origins': '*' } }).rpc.origins, ['*'])
})

t.test('every key has a flag, a variable and words', async (t) => {
  for (const { name, flag, variable, what, expected } of configKeys) {
    t.match(flag, /^--[a-z0-9]+(-[a-z0-9]+)*$/, name)
    t.match(variable, /^DONGBAEK_[A-Z0-9_]+$/, name)
    t.ok(what.length > 5 && expected.length > 3, name)
  }
  t.equal(new Set(configKeys.map(({ flag }) => flag)).size, configKeys.length)
  t.match(configKeys.find(({ name }) => name === 'limits.stateCacheMiB'), { flag: '--limits-state-cache-mib', variable: 'DONGBAEK_LIMITS_STATE_CACHE_MIB' })
})

t.test('errors name the key, the place and what is expected', async (t) => {
  const folder = t.testdir()
  const write = (value: unknown): { file: string } => {
    const file = join(folder, 'config.json')
    writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value))
    return { file }
  }
  const refused = (act: () => unknown, code: string, ...words: readonly string[]): void => {
    try {
      act()
      t.fail(`not refused: ${code}`)
    } catch (error) {
      const { code: got, message } = error as { code: string; message: string }
      t.equal(got, code)
      for (const word of words) t.ok(message.includes(word), `${message} — says ${word}`)
    }
  }
  refused(() => loadConfig(write({ ...least, dataDirr: 'x' })), 'config/unknown-key', 'dataDirr', 'config.json', 'dataDir')
  refused(() => loadConfig(write({ ...least, p2p: { prot: 1 } })), 'config/unknown-key', 'p2p.prot', 'p2p.port')
  refused(() => loadConfig(write({ ...least, rcp: {} })), 'config/unknown-key', 'rpc')
  refused(() => loadConfig(write({ ...least, 'p2p.port.x': 1 })), 'config/unknown-key', 'p2p.port')
  refused(() => loadConfig(write({ ...least, constructor: 1 })), 'config/unknown-key', 'constructor')
  refused(() => loadConfig(write({ ...least, p2p: { port: '26400' } })), 'config/invalid', 'p2p.port', 'config.json', '"26400"', 'whole number from 0 to 65535')
  refused(() => loadConfig(write({ ...least, p2p: 5 })), 'config/invalid', 'p2p', 'an object')
  refused(() => loadConfig(write({ ...least, name: 'City 1' })), 'config/invalid', 'name', 'hyphens')
  refused(() => loadConfig(write({ ...least, p2p: { addresses: { a: 'host' } } })), 'config/invalid', 'p2p.addresses', 'host:port')
  refused(() => loadConfig(write({ ...least, p2p: { observers: [{ name: 'o', publicKey: 'AA' }] } })), 'config/invalid', 'p2p.observers', 'base64url')
  refused(() => loadConfig(write({ ...least, p2p: { observers: [{ name: 'o', publicKey: toBase64url(key), adresses: [] }] } })), 'config/invalid')
  refused(() => loadConfig(write({ dataDir: 'x' })), 'config/required', 'name', '--name', 'DONGBAEK_NAME')
  refused(() => loadConfig(write('{ "__proto__": { "name": "x" } }')), 'config/unknown-key', '__proto__')
  refused(() => loadConfig(write('{')), 'config/malformed', 'config.json')
  refused(() => loadConfig(write('[]')), 'config/malformed')
  refused(() => loadConfig({ file: join(folder, 'none.json') }), 'config/missing-file', 'dongbaek init')
  const good = write(least)
  refused(() => loadConfig({ ...good, environment: { DONGBAEK_RPC_PROT: '1' } }), 'config/unknown-key', 'DONGBAEK_RPC_PROT', 'DONGBAEK_RPC_PORT')
  refused(() => loadConfig({ ...good, flags: { '--rpc-prot': '1' } }), 'config/unknown-key', '--rpc-port')
  refused(() => loadConfig({ ...good, flags: { '--rpc-port': '1e3' } }), 'config/invalid', '--rpc-port', 'whole number')
  refused(() => loadConfig({ ...good, environment: { DONGBAEK_ROLE: 'validater' } }), 'config/invalid', 'DONGBAEK_ROLE', 'validator or observer')
  refused(() => loadConfig({ ...good, flags: { 'p2p.addresses': 'a=b:1,a=c:2' } }), 'config/invalid')
  // none of these is what a browser sends, so it would match nothing
  for (const origin of ['https://app.example/', 'https://app.example:443', 'HTTPS://app.example', 'app.example', 'https://*.example', 'https://a.example/map', 'https://한글.example', 'null', '']) {
    refused(() => loadConfig(write({ ...least, rpc: { origins: [origin] } })), 'config/invalid', 'rpc.origins', 'no path')
  }
  refused(() => loadConfig(write({ ...least, rpc: { origins: 'https://a.example' } })), 'config/invalid', 'rpc.origins')
  refused(() => loadConfig(write({ ...least, rpc: { origins: Array.from({ length: 65 }, (_, i) => `https://a${i}.example`) } })), 'config/invalid', 'at most 64')
  const hash = toBase64url(key)
  t.same(loadConfig({ ...write({ ...least, rpc: { keys: [{ name: 'map', hash, perSecond: 5 }] } }) }).rpc.keys, [{ name: 'map', hash, perSecond: 5 }])
  t.same(loadConfig({ ...write(least), flags: { 'rpc.keys': `map=${hash}@5, other=${toBase64url(new Uint8Array(32))}@1000000` } }).rpc.keys.map(({ name, perSecond }) => [name, perSecond]), [['map', 5], ['other', 1_000_000]])
  for (const keys of [[{ name: 'map', hash, perSecond: 0 }], [{ name: 'map', hash: 'AA', perSecond: 5 }], [{ name: 'map', hash, perSecond: 5, key: 'x' }], [{ name: 'map', hash, perSecond: 5 }, { name: 'map', hash: toBase64url(new Uint8Array(32)), perSecond: 5 }], [{ name: 'a', hash, perSecond: 5 }, { name: 'b', hash, perSecond: 5 }], [null], {}]) {
    refused(() => loadConfig(write({ ...least, rpc: { keys } })), 'config/invalid', 'rpc.keys', 'perSecond')
  }
  for (const text of [`map=${hash}`, `map@5=${hash}`, `map=${hash}@x`]) refused(() => loadConfig({ ...write(least), flags: { 'rpc.keys': text } }), 'config/invalid', 'rpc.keys')
  t.same(loadConfig(write(least)).admin, { host: '127.0.0.1', port: undefined }, 'no administration unless it is asked for')
  t.equal(loadConfig(write({ ...least, admin: { host: '::1', port: 1 } })).admin.host, '::1')
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'localhost', '::ffff:127.0.0.1', '']) refused(() => loadConfig(write({ ...least, admin: { host, port: 1 } })), 'config/invalid', 'admin.host', 'loopback', 'no password')
  refused(() => loadConfig({ ...write(least), flags: { 'rpc.proxies': '9' } }), 'config/invalid', 'rpc.proxies', 'from 0 to 8')
})
