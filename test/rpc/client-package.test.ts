// The client as others get it: packed, installed into an empty project without a network, imported from plain JavaScript in Node, checked by a strict TypeScript
// project of another kind, and bundled for browsers, where it runs with nothing of Node in reach.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'
import t from 'tap'
import { toBase64url } from '../../primitives/bytes.ts'
import { createCity, liveADay, program, serve, shop } from './scenario.ts'

const root = path.join(import.meta.dirname, '../..')
const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-client-package-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const gzippedBytesMax = 60_000

const city = createCity()
await liveADay(city)
const { server, url } = await serve(city)
t.teardown(async () => server.stop())

/** What the programs need to know; the seed is a citizen's. */
const begin = {
  url,
  chain: city.chain.chainId,
  validators: city.chain.validators.validators.map((one) => ({ ...one, publicKey: toBase64url(one.publicKey) })),
  minimums: city.chain.validators.minimums,
  seed: toBase64url(new Uint8Array(32).fill(25)),
  program,
  merchant: shop.did,
}

/** A program of somebody else: reads, sends, waits, and believes nothing without a proof. Its last expression is a promise of what it found. */
const life = `
import { buildTransaction, createClient, DongbaekError, fromBase64url, signTransaction, submitAndWait, toBase64url, trustFromGenesis, verifyStateProofs, verifyTransactionProof, walletFromSeed } from 'dongbaek/client'

export async function live({ url, chain, validators, minimums, seed, program, merchant }) {
  const client = createClient({ url })
  const citizen = walletFromSeed(fromBase64url(seed))
  const before = await client.call('points_balance', { did: citizen.did })
  const signed = await signTransaction(buildTransaction({ chain, kind: 'points.spend', sender: citizen, payload: { program, merchant, amount: 70 }, validUntilMs: (await client.call('chain_head', {})).timeMs + 60_000 }), [citizen])
  const receipt = await submitAndWait(client, signed)
  const trust = trustFromGenesis(chain, { validators: validators.map((one) => ({ ...one, publicKey: fromBase64url(one.publicKey) })), minimums })
  const { receipt: proven } = verifyTransactionProof(trust, signed.id, await client.callUntyped('tx_proof', { id: toBase64url(signed.id) }))
  const keys = ['parameters/current', 'nothing/here']
  const answer = await client.callUntyped('state_proof', { keys })
  const { values } = verifyStateProofs(trust, keys, answer)
  let lie = 'believed'
  try {
    verifyStateProofs(trust, keys, { ...answer, height: answer.height + 1 })
  } catch (thrown) {
    if (thrown instanceof DongbaekError) lie = thrown.code
  }
  const after = await client.call('points_balance', { did: citizen.did })
  return { status: receipt.status, proven: proven.status, spent: before.balance - after.balance, present: values.get(keys[0]).length > 0, absent: values.has(keys[1]) && values.get(keys[1]) === undefined, lie }
}
`
const lived = { status: 'ok', proven: 'ok', spent: 70, present: true, absent: true, lie: 'proof/state' }

// what the test runner puts into Node programs is not for these
const { NODE_OPTIONS: _, ...environment } = process.env
const execute = promisify(execFile)
/** Fails with all that the program said. */
async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    return (await execute(command, args, { cwd, encoding: 'utf8', env: environment, maxBuffer: 16 * 1_048_576 })).stdout
  } catch (error) {
    const { message, stdout = '', stderr = '' } = error as Error & { readonly stdout?: string; readonly stderr?: string }
    throw new Error(`${message}\n${stdout}${stderr}`)
  }
}

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

async function pack(what: string): Promise<Packed> {
  const printed = await run('npm', ['pack', '--json', '--pack-destination', folder, '--loglevel=error', '--cache', path.join(folder, 'cache'), what], root)
  const said = JSON.parse(printed.slice(printed.search(/^[[{]/m))) as readonly Packed[] | Readonly<Record<string, Packed>>
  return Object.values(said)[0] as Packed
}

const whole = await pack('.')
const project = path.join(folder, 'project')

t.test('packed are the client’s files, of the rules and queries the types alone', (t) => {
  const paths = whole.files.map((file) => file.path)
  t.same(paths.filter((file) => !file.startsWith('dist/')).sort(), ['README.md', 'package.json', 'scripts/dongbaek.mjs'])
  t.same(paths.filter((file) => !/\.(?:js|d\.ts)$/.test(file)).sort(), ['README.md', 'dist/package.json', 'package.json', 'scripts/dongbaek.mjs'])
  const code = paths.filter((file) => file.endsWith('.js'))
  t.ok(code.includes('dist/rpc/client/index.js') && code.length < 100, `${code.length} files of code`)
  t.same(code.filter((file) => /queries|query-|\.node\.js|families|execute/.test(file)), [])
  const manifest = JSON.parse(readFileSync(path.join(root, 'dist/package.json'), 'utf8')) as { readonly dependencies: Readonly<Record<string, string>> }
  t.same(Object.keys(manifest.dependencies), ['@noble/curves', '@noble/hashes'])
  t.end()
})

t.test('unpacked into node_modules with two packages beside it, it is imported from plain JavaScript', async (t) => {
  const own = path.join(folder, 'by-hand')
  const modules = path.join(own, 'node_modules')
  mkdirSync(path.join(modules, 'dongbaek'), { recursive: true })
  await run('tar', ['-xzf', path.join(folder, whole.filename), '-C', path.join(modules, 'dongbaek'), '--strip-components=1'], own)
  symlinkSync(path.join(root, 'node_modules/@noble'), path.join(modules, '@noble'))
  writeFileSync(path.join(own, 'package.json'), '{"type":"module"}')
  writeFileSync(path.join(own, 'program.js'), `${life}\nconsole.log(JSON.stringify(await live(${JSON.stringify(begin)})))\n`)
  t.same(JSON.parse(await run(process.execPath, ['program.js'], own)), lived)
  await t.rejects(run(process.execPath, ['--input-type=module', '-e', 'import "dongbaek/dist/rpc/client/wallet.js"'], own), /ERR_PACKAGE_PATH_NOT_EXPORTED/, 'nothing but the entry')
  await t.rejects(run(process.execPath, [path.join(modules, 'dongbaek/scripts/dongbaek.mjs')], own), /client alone/, 'the command says where it runs')
})

t.test('packed by itself it installs with its two packages, without a network', async (t) => {
  const alone = await pack('./dist')
  const parts = [alone.filename]
  for (const name of ['curves', 'hashes']) parts.push((await pack(`./node_modules/@noble/${name}`)).filename)
  mkdirSync(project, { recursive: true })
  writeFileSync(path.join(project, 'package.json'), '{"private":true,"type":"module"}')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--cache', path.join(folder, 'cache'), ...parts.map((file) => path.join(folder, file))], project)
  writeFileSync(path.join(project, 'life.js'), life)
  writeFileSync(path.join(project, 'program.js'), `import { live } from './life.js'\nconsole.log(JSON.stringify(await live(${JSON.stringify(begin)})))\n`)
  t.same(JSON.parse(await run(process.execPath, ['program.js'], project)), lived)
})

// the three calls in it that must not compile: where one does, the compiler reports its @ts-expect-error as unused, and the test is red
t.test('its types hold in a strict project that checks its libraries too', async (t) => {
  writeFileSync(
    path.join(project, 'typed.ts'),
    `import { buildTransaction, createClient, type ReceiptJson, submitAndWait, walletFromSeed, type Won } from 'dongbaek/client'
const client = createClient({ url: 'http://127.0.0.1' })
const { balance } = await client.call('points_balance', { did: walletFromSeed(new Uint8Array(32)).did })
export const won: number = balance
export const wait: (...of: Parameters<typeof submitAndWait>) => Promise<ReceiptJson> = submitAndWait
// @ts-expect-error a method that there is not
await client.call('points_nothing', {})
// @ts-expect-error a parameter of another type
await client.call('points_balance', { did: 5 })
// @ts-expect-error a payload of another kind
buildTransaction({ chain: '', kind: 'points.spend', sender: walletFromSeed(new Uint8Array(32)), payload: { amount: 1 as Won } })
`,
  )
  for (const [module, moduleResolution] of [['nodenext', 'nodenext'], ['esnext', 'bundler']] as const) {
    writeFileSync(
      path.join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true, target: 'es2022', lib: ['es2022', 'dom'], types: [], module, moduleResolution }, files: ['typed.ts'] }),
    )
    await run(path.join(root, `node_modules/@typescript/typescript-${process.platform}-${process.arch}/lib/tsc`), ['-p', project], project)
    t.pass(moduleResolution)
  }
})

/** A minified bundle for browsers, and its size as it goes over the wire. */
async function bundle(code: string, format: 'esm' | 'iife' = 'esm'): Promise<{ readonly text: string; readonly gzippedBytes: number; readonly inputs: Metafile['inputs'] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: project },
    absWorkingDir: project,
    bundle: true,
    write: false,
    minify: true,
    format,
    platform: 'browser',
    target: 'es2022',
    metafile: true,
    ...(format === 'iife' && { globalName: 'page' }),
  })
  const text = (outputFiles[0] as (typeof outputFiles)[number]).text
  return { text, gzippedBytes: gzipSync(text, { level: 9 }).length, inputs: metafile.inputs }
}

t.test(`bundled for browsers it has less than ${gzippedBytesMax} bytes, gzipped`, async (t) => {
  const all = await bundle("export * from 'dongbaek/client'")
  t.comment(`all of the client: ${all.gzippedBytes} bytes gzipped, ${all.text.length} before`)
  t.ok(all.gzippedBytes < gzippedBytesMax, `${all.gzippedBytes} bytes`)
  t.same(Object.keys(all.inputs).filter((file) => !/^(?:<stdin>|node_modules\/(?:dongbaek|@noble\/(?:curves|hashes))\/)/.test(file)), [])
  const reader = await bundle("export { createClient, followEvents } from 'dongbaek/client'")
  t.comment(`what only reads: ${reader.gzippedBytes} bytes gzipped`)
  t.ok(reader.gzippedBytes < 5_000, `${reader.gzippedBytes} bytes of one that only reads: what is not used stays out`)
})

t.test('the bundle runs where there is nothing of Node', async (t) => {
  const { text } = await bundle(`${life}`, 'iife')
  const { fetch, crypto, setTimeout, clearTimeout, AbortController, TextEncoder, TextDecoder, URL, WebSocket, Uint8Array } = globalThis
  // no code from text either, as content security policies have it; Uint8Array is ours, so that what fetch and crypto make and take is of one realm, as in a browser
  const page = createContext({ fetch, crypto, setTimeout, clearTimeout, AbortController, TextEncoder, TextDecoder, URL, WebSocket, Uint8Array }, { codeGeneration: { strings: false, wasm: false } })
  t.equal(runInContext('typeof process + typeof Buffer + typeof require', page), 'undefined'.repeat(3))
  runInContext(text, page)
  t.same(await (runInContext(`page.live(${JSON.stringify(begin)}).then(JSON.stringify)`, page) as Promise<string>).then(JSON.parse), lived)
})
