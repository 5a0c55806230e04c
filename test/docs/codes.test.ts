// Every code that can be met outside is provoked by a test. The codes are read from the sources, so that a new one without a test fails here.
//   Refusals of the families: the tests of each family run its rules, collect the codes of the receipts, and end by comparing them with the family's own list.
//   All others: a test names the code as what it expects.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { listedCodes } from '../../rpc/errors.ts'
import { envelopeCodes, families } from '../../state/families.ts'
import { codesOfLife } from '../state/points-city.ts'
import { codesOfTerms } from '../state/reservation-codes.ts'

const root = path.join(import.meta.dirname, '../..')
const own = path.basename(import.meta.filename)

/** The files of these folders without comments and imports: a code in a comment provokes nothing. */
function textOf(...folders: readonly string[]): string {
  const files = folders.flatMap((folder) => readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => path.join(folder, file)))
  return files
    .filter((file) => file.endsWith('.ts') && path.basename(file) !== own)
    .sort()
    .map((file) => readFileSync(path.join(root, file), 'utf8').replaceAll(/^\s*(?:\/\/|\/?\*|import ).*$/gm, ''))
    .join('\n')
}

const product = textOf('primitives', 'consensus', 'state', 'genesis', 'rpc', 'node')
const tests = textOf('test')

/** Families of codes: the first part of whatever is thrown or refused somewhere. */
const prefixes = new Set([...product.matchAll(/(?:DongbaekError|refuse)\(\s*'([a-z]+)\//g)].map(([, prefix]) => prefix as string))
const codes = new Set([
  ...[...product.matchAll(/'([a-z]+)(\/[a-z][a-z0-9-]*)'/g)].filter(([, prefix]) => prefixes.has(prefix as string)).map(([, prefix, rest]) => `${prefix}${rest}`),
  ...[...product.matchAll(/genesisError\('([a-z-]+)'/g)].map(([, code]) => `genesis/${code}`),
  ...listedCodes.map(({ code }) => code),
])

/** Codes that no test can provoke, and why. */
const beyondTests: Readonly<Record<string, string>> = {
  'node/final-block-invalid': 'a quorum has made final what this version cannot decode: it takes the release after this one',
}

/** As a value that is compared with, not as the name of a field in a list; or in a pattern. */
const provoked = (code: string): boolean => new RegExp(`'${code}'(?!:)`).test(tests) || new RegExp(`/[^/\\n]*${code.replace('/', '\\\\?/')}[^/\\n]*/`).test(tests) || codesOfLife.includes(code) || codesOfTerms.includes(code)

t.test('each code that can be met outside is provoked', async (t) => {
  t.ok(codes.size > 300 && prefixes.size > 20, `${codes.size} codes in ${prefixes.size} families`)
  t.same([...codes].filter((code) => !(code in beyondTests) && !provoked(code)).sort(), [])
  t.same(Object.keys(beyondTests).filter((code) => !codes.has(code) || provoked(code)), [], 'what is excused is there, and needs it')
})

t.test('each code that is listed is one that something gives', async (t) => {
  // lists of codes with their sentences are not where they are given
  const given = product.replaceAll(/^\s*'[a-z]+\/[a-z-]+': .*$/gm, '')
  const made = new Set(families.filter(({ queries }) => queries.length > 0).map(({ name }) => `${name}/not-found`))
  t.same([...new Set([...listedCodes.map(({ code }) => code), ...Object.keys(envelopeCodes)])].filter((code) => !given.includes(`'${code}'`) && !made.has(code)).sort(), [])
})

t.test('each family compares what its receipts said with its list', async (t) => {
  const lists: Readonly<Record<string, readonly string[]>> = {
    governance: ['test/state/governance.test.ts', 'test/state/validator-sets.test.ts'],
    did: ['test/state/did.test.ts', 'test/state/did-property.test.ts'],
    credential: ['test/state/credential.test.ts'],
    points: ['test/state/points.test.ts'],
    reservation: ['test/state/reservation.test.ts'],
    community: ['test/state/community.test.ts'],
  }
  t.same(Object.keys(lists), families.map(({ name }) => name))
  for (const file of Object.values(lists).flat()) t.match(readFileSync(path.join(root, file), 'utf8'), /t\.(?:same|strictSame)\(\[\.\.\.(?:provoked|Object\.keys).*Object\.keys|t\.strictSame\(\[\.\.\.Object\.keys\(didFamily\.codes\)\]/, file)
})
