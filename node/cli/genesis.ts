// dongbaek genesis: build it from a preset and everyone's cards, hash it, check it.
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { readNodeCard, readOfficeCard } from '../../genesis/card.ts'
import { buildGenesis } from '../../genesis/ceremony.ts'
import { checkGenesis, genesisSummary, genesisWarnings } from '../../genesis/check.ts'
import { chainIdOf, genesisHash, type Genesis, readGenesis, writeGenesis } from '../../genesis/genesis.ts'
import { presets } from '../../genesis/presets/index.ts'
import { toBase64url, toHex, utf8 } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { JsonObject } from '../../primitives/schema.ts'
import { writeFileAtomically } from '../files.ts'
import { collect, readText } from './init.ts'
import { answer, type JsonOption, koreanTime, table } from './output.ts'

interface BuildOptions extends JsonOption {
  readonly preset: string
  readonly name: string
  readonly validator: readonly string[]
  readonly observer: readonly string[]
  readonly office: readonly string[]
  readonly minimum: readonly string[]
  readonly time: number
  readonly out: string
}

function timeArgument(text: string): number {
  const ms = Date.parse(text)
  if (!Number.isFinite(ms)) throw new InvalidArgumentError('a time such as 2026-05-14T09:00:00+09:00')
  return ms
}

function minimumsOf(texts: readonly string[]): readonly { readonly organisation: string; readonly minimum: number }[] | undefined {
  if (texts.length === 0) return undefined
  return texts.map((text) => {
    const [, organisation, number] = /^([a-z0-9-]+)=(\d{1,3})$/.exec(text) ?? []
    if (organisation === undefined) throw new DongbaekError('cli/argument', `--minimum ${text}: write organisation=number, such as bnk=1`, { text })
    return { organisation, minimum: Number(number) }
  })
}

/** The same in text and JSON: what operators compare before they start. */
function describe(genesis: Genesis): { readonly json: JsonObject; readonly text: readonly string[] } {
  const hash = toHex(genesisHash(genesis))
  const summary = genesisSummary(genesis)
  const warnings = genesisWarnings(genesis)
  const { validators, observers, minimums, timeMs } = genesis
  return {
    json: {
      chainId: chainIdOf(genesis),
      hash,
      timeMs,
      validators: validators.map(({ name, organisation, publicKey }) => ({ name, organisation, publicKey: toBase64url(publicKey) })),
      observers: observers.map(({ name }) => name),
      minimums: minimums.map(({ organisation, minimum }) => ({ organisation, minimum })),
      ...summary,
      warnings,
    },
    text: [
      `chain id     ${chainIdOf(genesis)}`,
      `hash         ${hash}`,
      `time         ${koreanTime(timeMs)}`,
      `quorum       ${summary.quorum} of ${validators.length}${minimums.map(({ organisation, minimum }) => `, at least ${minimum} of ${organisation}`).join('')}; ${summary.faulty} may be faulty`,
      `observers    ${observers.length === 0 ? 'none' : observers.map(({ name }) => name).join(', ')}`,
      `state root   ${summary.stateRoot}`,
      '',
      ...table(['validator', 'organisation', 'public key', 'addresses'], validators.map(({ name, organisation, publicKey, addresses }) => [name, organisation, toBase64url(publicKey), addresses.join(', ')])),
      ...warnings.flatMap((warning) => ['', `Note: ${warning}`]),
    ],
  }
}

export function addGenesis(program: Command): void {
  const command = program.command('genesis').description('the file that all nodes of a network begin from: build, hash, check')

  command
    .command('build')
    .description('make the genesis from a preset and the cards of nodes and offices')
    .addOption(new Option('--preset <name>', 'what the network begins with').choices(Object.keys(presets)).default('busan'))
    .requiredOption('--name <name>', 'name of the network; the chain id begins with it')
    .addOption(new Option('--validator <card>', 'card.json of a validator; repeat for each').argParser(collect).default([], 'none'))
    .addOption(new Option('--observer <card>', 'card.json of an observer; repeat for each').argParser(collect).default([], 'none'))
    .addOption(new Option('--office <card>', 'card of an office ("dongbaek keys card"); repeat for each').argParser(collect).default([], 'none'))
    .addOption(new Option('--minimum <organisation=n>', 'validators of an organisation that every certificate needs, instead of the preset’s').argParser(collect).default([], 'preset'))
    .addOption(new Option('--time <time>', 'time of height 0').argParser(timeArgument).default(undefined, 'now'))
    .option('--out <file>', 'where to write it', 'genesis.json')
    .option('--json', 'answer in JSON')
    .action((options: Omit<BuildOptions, 'time'> & { readonly time?: number }) => {
      const preset = presets[options.preset]
      if (preset === undefined) throw new DongbaekError('cli/argument', `there is no preset ${options.preset}. Known are ${Object.keys(presets).join(', ')}`)
      const minimums = minimumsOf(options.minimum)
      const genesis = buildGenesis(preset, {
        name: options.name,
        timeMs: options.time ?? Date.now(),
        nodes: [...options.validator, ...options.observer].map((file) => readNodeCard(readText(file), file)),
        offices: options.office.map((file) => readOfficeCard(readText(file), file)),
        ...(minimums === undefined ? {} : { minimums }),
      })
      checkGenesis(genesis)
      const path = resolve(options.out)
      writeFileAtomically(path, utf8(writeGenesis(genesis)), 0o644)
      const { json, text } = describe(genesis)
      answer(options, { file: path, ...json }, [`Wrote ${path}. Give it to every operator, and compare the hash by another way than you sent it.`, ...text])
    })

  command
    .command('offices')
    .description('list the offices whose keys a preset asks for')
    .addOption(new Option('--preset <name>', 'the preset').choices(Object.keys(presets)).default('busan'))
    .option('--json', 'answer in JSON')
    .action((options: JsonOption & { readonly preset: string }) => {
      const offices = presets[options.preset]?.offices ?? []
      answer(
        options,
        offices.map(({ id, title, roles }) => ({ office: id, title, roles })),
        table(['office', 'what it is', 'roles'], offices.map(({ id, title, roles }) => [id, `${title.ko}, ${title.en}`, roles.map(({ role, scope }) => `${role} ${scope}`).join(', ')])),
      )
    })

  for (const [name, what] of [
    ['hash', 'print the hash and the chain id of a genesis file'],
    ['check', 'check every rule of a genesis file, and say what the network would survive'],
  ] as const) {
    command
      .command(`${name} <file>`)
      .description(what)
      .option('--json', 'answer in JSON')
      .action((file: string, options: JsonOption) => {
        const genesis = readGenesis(readText(file))
        if (name === 'hash') {
          const hash = toHex(genesisHash(genesis))
          answer(options, { hash, chainId: chainIdOf(genesis) }, [`${hash}  ${chainIdOf(genesis)}`])
          return
        }
        checkGenesis(genesis)
        const { json, text } = describe(genesis)
        answer(options, json, ['The genesis is sound.', ...text])
      })
  }
}
