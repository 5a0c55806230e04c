// The keystore: sealed, private, bound to what stands in clear; and the passphrase's two sources.
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { toBase64url } from '../../primitives/bytes.ts'
import { keyPairFromSeed } from '../../primitives/ed25519.ts'
import { changePassphrase, createKeystore, openKeystore, readKeystoreInfo, readPassphrase } from '../../node/keystore.ts'

const seed = new Uint8Array(32).fill(9)
const passphrase = 'correct horse 동백'

t.test('created, opened, its passphrase changed', async (t) => {
  const path = join(t.testdir(), 'keys', 'city-1.json')
  await t.rejects(createKeystore(path, { label: 'city-1', passphrase: 'seven77' }), { code: 'keystore/passphrase-weak' })
  t.equal(existsSync(path), false)
  const info = await createKeystore(path, { label: 'city-1', passphrase, seed })
  t.same(info, { label: 'city-1', publicKey: keyPairFromSeed(seed).publicKey })
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.notMatch(readFileSync(path, 'utf8'), new RegExp(toBase64url(seed).slice(0, 20)))
  t.same(readKeystoreInfo(path), info)
  t.same((await openKeystore(path, passphrase)).seed, seed)
  t.same((await openKeystore(path, passphrase.normalize('NFD'))).seed, seed, 'another keyboard, the same text')
  await t.rejects(openKeystore(path, 'correct horse'), { code: 'keystore/passphrase-wrong' })
  await t.rejects(createKeystore(path, { label: 'x', passphrase }), { code: 'keystore/exists' })
  await t.rejects(changePassphrase(path, 'wrong one', 'another passphrase'), { code: 'keystore/passphrase-wrong' })
  await changePassphrase(path, passphrase, 'another passphrase')
  await t.rejects(openKeystore(path, passphrase), { code: 'keystore/passphrase-wrong' })
  t.same((await openKeystore(path, 'another passphrase')).seed, seed)
  t.same(readdirSync(join(t.testdirName, 'keys')), ['city-1.json'], 'nothing is left beside it')
  const fresh = join(t.testdirName, 'fresh.json')
  await createKeystore(fresh, { label: 'fresh', passphrase })
  t.notSame(readKeystoreInfo(fresh).publicKey, info.publicKey)
})

t.test('what a person chose is stretched as long as before; a random passphrase, which must be long, is not, and the next one is again', async (t) => {
  const cost = (path: string): unknown => (JSON.parse(readFileSync(path, 'utf8')) as { readonly kdf: { readonly logN: number } }).kdf.logN
  const [chosen, drawn] = [join(t.testdir(), 'chosen.json'), join(t.testdirName, 'drawn.json')]
  const random = randomBytes(24).toString('base64url')
  await createKeystore(chosen, { label: 'chosen', passphrase: random })
  t.equal(cost(chosen), 17)
  await t.rejects(createKeystore(drawn, { label: 'drawn', passphrase: random.slice(0, 21), passphraseIsRandom: true }), { code: 'keystore/passphrase-weak' })
  await createKeystore(drawn, { label: 'drawn', passphrase: random, passphraseIsRandom: true, seed })
  t.equal(cost(drawn), 14)
  t.same((await openKeystore(drawn, random)).seed, seed)
  await changePassphrase(drawn, random, passphrase)
  t.equal(cost(drawn), 17)
})

t.test('refused: others may read it, another form, anything changed', async (t) => {
  const path = join(t.testdir(), 'key.json')
  const passphrase = randomBytes(24).toString('base64url')
  await createKeystore(path, { label: 'key', passphrase, passphraseIsRandom: true, seed })
  for (const mode of [0o640, 0o604, 0o620, 0o610]) {
    chmodSync(path, mode)
    await t.rejects(openKeystore(path, passphrase), { code: 'keystore/permissions', message: /chmod 600/ })
  }
  chmodSync(path, 0o600)
  await t.rejects(openKeystore(join(t.testdirName, 'none.json'), passphrase), { code: 'keystore/missing', message: /dongbaek keys/ })
  const good = JSON.parse(readFileSync(path, 'utf8')) as { publicKey: string; label: string; kdf: { logN: number }; cipher: { sealed: string } }
  const withChange = async (change: object, code: string): Promise<void> => {
    writeFileSync(path, JSON.stringify({ ...good, ...change }))
    await t.rejects(openKeystore(path, passphrase), { code }, JSON.stringify(change).slice(0, 60))
  }
  await withChange({ label: 'other' }, 'keystore/passphrase-wrong')
  await withChange({ publicKey: toBase64url(new Uint8Array(32).fill(3)) }, 'keystore/passphrase-wrong')
  await withChange({ kdf: { ...good.kdf, logN: 15 } }, 'keystore/passphrase-wrong')
  await withChange({ kdf: { ...good.kdf, logN: 13 } }, 'keystore/malformed')
  await withChange({ kdf: { ...good.kdf, logN: 30 } }, 'keystore/malformed')
  const sealed = Buffer.from(good.cipher.sealed, 'base64url')
  sealed[5] = (sealed[5] as number) ^ 1
  await withChange({ cipher: { ...good.cipher, sealed: sealed.toString('base64url') } }, 'keystore/passphrase-wrong')
  await withChange({ extra: 1 }, 'keystore/malformed')
  writeFileSync(path, 'no json')
  await t.rejects(openKeystore(path, passphrase), { code: 'keystore/malformed' })
})

t.test('the passphrase comes from the environment, else from a private file', async (t) => {
  const file = join(t.testdir(), 'passphrase')
  writeFileSync(file, 'first line\r\nsecond', { mode: 0o600 })
  t.equal(readPassphrase(file, {}), 'first line')
  const environment = { DONGBAEK_PASSPHRASE: 'from outside' }
  t.equal(readPassphrase(file, environment), 'from outside')
  t.same(environment, {}, 'no child inherits it')
  t.throws(() => readPassphrase(undefined, {}), { code: 'keystore/no-passphrase' })
  writeFileSync(file, '\n')
  t.throws(() => readPassphrase(file, {}), { code: 'keystore/no-passphrase' })
  chmodSync(file, 0o644)
  t.throws(() => readPassphrase(file, {}), { code: 'keystore/permissions' })
})
