// The code of every page but the tutorial, which has a test of its own: it fits the client's types, and runs against four validators with what the page says that it begins with.
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import type { Hash, TimeMs, Won } from '../../primitives/brand.ts'
import { buildTransaction, createClient, type KindName, type PayloadOf, recoveryHashOf, type ResultJson, type Signer, signTransaction, submitAndWait, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import { createAssembled } from '../support/assembled.ts'
import { seedOf } from '../support/genesis.ts'
import { type ClientPage, codeBlocks, createPages, type CredentialsPage } from '../support/pages.ts'
import { until } from '../support/until.ts'

const pages = createPages()
t.teardown(pages.remove)
const clientPage = pages.write('rpc/README.md', '{ urls, seed, program, merchant, amount }: pages.ClientPage', 'receipt, spent, blocks')
const credentialsPage = pages.write('docs/credentials.md', '{ urls, holder, phoneWallet, issuerWallet, validFromMs, validUntilMs, index, challenge }: pages.CredentialsPage', 'who, credentials')

t.test('every page with code of the client is tested, and fits its types', (t) => {
  const root = path.join(import.meta.dirname, '../..')
  const files = globSync(['*.md', 'docs/*.md', '*/README.md'], { cwd: root })
  t.ok(files.length > 15)
  t.same(files.sort().filter((file) => codeBlocks(readFileSync(path.join(root, file), 'utf8')).length > 0), ['docs/credentials.md', 'docs/tutorial.md', 'rpc/README.md'])
  t.equal(pages.compile(), '')
  t.end()
})

t.test('the pages run', async (t) => {
  const assembled = createAssembled()
  t.teardown(() => assembled.stopAll())
  await Promise.all(assembled.names.map(assembled.start))
  const urls = assembled.names.map((name) => assembled.node(name).url)
  await until(async () => (await Promise.all(urls.map((url) => createClient({ url }).call('node_status', {})))).every(({ ready }) => ready), 30_000)
  const client = createClient({ urls })
  const { chainId } = await client.call('node_status', {})
  const done = async <K extends KindName>(kind: K, payload: PayloadOf<K>, ...signers: readonly [Signer, ...Signer[]]): Promise<void> => {
    const [sender, ...countersigners] = signers
    const receipt = await submitAndWait(client, await signTransaction(buildTransaction({ chain: chainId, kind, sender, countersigners, payload }), signers))
    t.equal(receipt.status, 'ok', kind)
  }
  const office = (name: string): Wallet => walletFromSeed(seedOf(name))
  const [officer, bookshop, issuer] = [office('officer'), office('bookshop'), office('issuer')]
  const citizen = office('a citizen')
  await done('did.register', { keys: [citizen.didKey], services: [], recovery: recoveryHashOf(office('paper').key) }, citizen, office('registrar'))

  await t.test('rpc/README.md', async (t) => {
    const [opens, closes] = [(Date.now() - 60_000) as TimeMs, (Date.now() + 86_400_000) as TimeMs]
    const program = 'multi-child'
    await done(
      'points.openProgram',
      {
        program,
        budget: 1_000_000 as Won,
        terms: { kind: 'points', title: '다자녀 교육지원 포인트', tiers: [{ tier: 'two-children', amount: 300_000 as Won }], applicationOpensMs: opens, applicationClosesMs: closes, useOpensMs: opens, useClosesMs: closes, categories: ['bookshop'], decide: 'officer', leftover: 'reclaimed' },
      },
      officer,
    )
    await done('points.issue', { program, grants: [{ did: citizen.did, tier: 'two-children', pseudonym: new Uint8Array(32) as Hash }] }, officer)
    const run = await clientPage.load<(given: ClientPage) => Promise<{ readonly receipt: ResultJson<'tx_wait'>; readonly spent: readonly string[]; readonly blocks: readonly number[] }>>()
    const { receipt, spent, blocks } = await run({ urls, seed: seedOf('a citizen'), program, merchant: bookshop.did, amount: 12_000 as Won })
    t.equal(receipt.status, 'ok')
    t.same(spent, [receipt.id])
    t.same(blocks, Array.from({ length: receipt.height }, (_, i) => i + 1))
    t.equal((await client.call('points_balance', { did: citizen.did })).balance, 288_000)
  })

  await t.test('docs/credentials.md', async (t) => {
    await done('credential.registerIssuer', { scope: '*', name: '부산광역시', website: 'https://www.busan.go.kr' }, issuer)
    for (const [list, purpose] of [['citizenship', 'revocation'], ['citizenship-suspended', 'suspension']] as const) await done('credential.setStatus', { list, purpose, indexes: [], status: true }, issuer)
    const run = await credentialsPage.load<(given: CredentialsPage) => Promise<{ readonly who: string; readonly credentials: readonly { readonly issuer: string }[] }>>()
    const given = { urls, holder: citizen.did, phoneWallet: citizen, issuerWallet: issuer, validFromMs: Date.now() - 60_000, validUntilMs: Date.now() + 86_400_000, index: 4_711, challenge: 'of the counter' }
    const { who, credentials } = await run(given)
    t.equal(who, citizen.did)
    t.same(credentials.map((one) => one.issuer), [issuer.did])
    // what the page says of withdrawing
    await done('credential.setStatus', { list: 'citizenship-suspended', purpose: 'suspension', indexes: [given.index], status: true }, issuer)
    await t.rejects(run(given), { code: 'vc/suspended' })
    await done('credential.setStatus', { list: 'citizenship-suspended', purpose: 'suspension', indexes: [given.index], status: false }, issuer)
    await done('credential.setStatus', { list: 'citizenship', purpose: 'revocation', indexes: [given.index], status: true }, issuer)
    await t.rejects(run(given), { code: 'vc/revoked' })
  })
})
