// npm run build:client: the client as a package of plain JavaScript in dist/, which needs no step of a build to be imported.
// Files as in the repository, so that what runs in a phone can be read beside its source.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

interface Manifest {
  readonly [field: string]: unknown
  readonly imports: Readonly<Record<string, { readonly default: string }>>
  readonly exports: { readonly './client': Readonly<Record<'types' | 'default', string>> }
  readonly dependencies: Readonly<Record<string, string>>
}

const root = path.dirname(import.meta.dirname)
const dist = path.join(root, 'dist')

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
if (values.help) {
  console.log(`npm run build:client

Writes the client to dist/ as JavaScript with types: a package of its own ("npm pack ./dist") with the entry "dongbaek/client",
and what that entry of this package leads to. npm pack does it by itself.`)
  process.exit()
}

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest
rmSync(dist, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', path.join(root, 'tsconfig.client.json')], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

const entry = manifest.exports['./client']
const packages = new Set<string>()
const kept = new Set<string>()
for (const file of [entry.default, entry.types]) keep(path.join(root, file))
// of rules and queries types alone are used: their code stays out
for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) if (/\.[jt]s$/.test(file) && !kept.has(path.join(dist, file))) rmSync(path.join(dist, file))
const { name, version, description, private: isPrivate, license, type, sideEffects, dependencies } = manifest
writeFileSync(
  path.join(dist, 'package.json'),
  `${JSON.stringify(
    {
      name,
      version,
      description: `${String(description)}: the client`,
      private: isPrivate,
      license,
      type,
      sideEffects,
      exports: { './client': { types: inDist(entry.types), default: inDist(entry.default) } },
      dependencies: Object.fromEntries([...packages].sort().map((one) => [one, dependencies[one]])),
    },
    undefined,
    2,
  )}\n`,
)

/** Keeps a file and all that it imports. What package.json "imports" leads to is named directly, always the portable one: not every bundler follows "#…". */
function keep(file: string): void {
  if (kept.has(file)) return
  kept.add(file)
  const isTypes = file.endsWith('.d.ts')
  const ending = isTypes ? '.d.ts' : '.js'
  const text = readFileSync(file, 'utf8').replaceAll(/(?<=\bfrom |\bimport\()'(#[a-z0-9]+)'/g, (_, alias: string) => {
    const target = path.relative(path.dirname(file), path.join(dist, (manifest.imports[alias] as { readonly default: string }).default))
    return `'${target.startsWith('.') ? target : `./${target}`}'`.replace(/\.ts'$/, ".js'")
  })
  writeFileSync(file, text)
  for (const [, from = ''] of text.matchAll(/\b(?:from |import\()['"]([^'"]+)['"]/g)) {
    if (from.startsWith('.')) keep(path.join(path.dirname(file), from.replace(/\.[jt]s$/, ending)))
    else if (!isTypes) packages.add(from.split('/').slice(0, from.startsWith('@') ? 2 : 1).join('/'))
  }
}

function inDist(file: string): string {
  return `./${path.relative(dist, path.join(root, file))}`
}
