// The faults. Each strikes, holds for a while and is mended. Those that leave a quorum alone must not stop the chain; those that do not must stop it,
// and it must go on by itself once there is a quorum again.
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../durability/random.ts'
import type { Audit } from './audit.ts'
import { readyMs, refusesMs, stopsMs } from './bounds.ts'
import { damageStoreBytes, damageVotes, damageWholeStore, deleteCurrent, emptyFolder, tearVotes } from './damage.ts'
import { fill, isMounted, makeRoom, moveToOwnDisk } from './disk.ts'
import type { Field, Site } from './field.ts'
import type { Weather } from './links.ts'

export interface Ground {
  readonly field: Field
  readonly audit: Audit
  readonly random: Random
  readonly onViolation: (what: string) => void
  /** Who is impaired already: no other may be. */
  readonly only?: Site
}

export interface Fault {
  /** On whom and how, in words; complete after it was mended. */
  readonly words: () => string
  /** Without a quorum meanwhile: no block may become final. */
  readonly stopsChain: boolean
  readonly holdMs: number
  readonly strike: () => Promise<void>
  readonly mend: () => Promise<void>
  /** Begins again with an emptied folder. */
  readonly rebuilds?: Site
  /** What is still to be put right once the chain goes on. */
  readonly after?: () => Promise<void>
}

const tickMs = 100

type Make = (ground: Ground) => Promise<Fault>

/** One to f validators; the primary is one of them half of the time. */
async function victims({ field, random, only }: Ground, most = field.tolerated): Promise<readonly Site[]> {
  if (only !== undefined) return [only]
  const count = random.between(1, most + 1)
  const primary = random.next() < 0.5 ? await field.primary() : undefined
  const rest = field.others(...(primary === undefined ? [] : [primary]))
  const turn = random.below(rest.length)
  return [...(primary === undefined ? [] : [primary]), ...rest.slice(turn), ...rest.slice(0, turn)].slice(0, count)
}

async function called(field: Field, sites: readonly Site[]): Promise<string> {
  const primary = await field.primary()
  return sites.map((site) => (site === primary ? `${site.name} (primary)` : site.name)).join(', ')
}

const nothing = async (): Promise<void> => {}

// ---------------------------------------------------------------- processes

const kill: Make = async (ground) => {
  const { field, random } = ground
  const killed = await victims(ground)
  const whom = await called(field, killed)
  return { words: () => whom, stopsChain: false, holdMs: random.between(200, 4_000), strike: () => field.kill(...killed), mend: async () => field.start(...killed) }
}

/** The figure that operators ask for: how long until the next primary has made a block. */
const primaryKilled: Make = async ({ field, random }) => {
  const primary = await field.primary()
  const victim = primary ?? (field.validators[random.below(field.validators.length)] as Site)
  return { words: () => victim.name, stopsChain: false, holdMs: random.between(3_000, 5_000), strike: () => field.kill(victim), mend: async () => field.start(victim) }
}

const restart: Make = async (ground) => {
  const { field, random } = ground
  const stopped = await victims(ground)
  const whom = await called(field, stopped)
  return { words: () => `${whom}, in order`, stopsChain: false, holdMs: random.between(0, 1_500), strike: () => field.stop(...stopped), mend: async () => field.start(...stopped) }
}

const freeze: Make = async (ground) => {
  const { field, random } = ground
  const paused = await victims(ground)
  const whom = await called(field, paused)
  const holdMs = random.between(500, 5_000)
  return { words: () => `${whom} for ${holdMs} ms`, stopsChain: false, holdMs, strike: async () => field.pause(...paused), mend: async () => field.resume(...paused) }
}

/** So many are killed that no quorum is left; one after the other comes back, and the first that makes a quorum again must be enough. */
const quorumKilled: Make = async ({ field, random }) => {
  const count = field.validators.length - field.quorum + 1
  const turn = random.below(field.validators.length)
  const killed = Array.from({ length: count }, (_, i) => field.validators[(turn + i) % field.validators.length] as Site)
  const whom = await called(field, killed)
  const [first, ...rest] = killed as [Site, ...Site[]]
  return {
    words: () => `${whom}; then ${first.name} comes back`,
    stopsChain: true,
    holdMs: random.between(3_000, 6_000),
    strike: () => field.kill(...killed),
    mend: async () => field.start(first),
    after: async () => field.start(...rest),
  }
}

const allKilled: Make = async ({ field, random }) => ({
  words: () => 'all validators at once',
  stopsChain: true,
  holdMs: random.between(0, 1_500),
  strike: () => field.kill(...field.validators),
  mend: async () => field.start(...field.validators),
})

const allPaused: Make = async ({ field, random }) => {
  const holdMs = random.between(1_000, 6_000)
  return { words: () => `all validators for ${holdMs} ms`, stopsChain: true, holdMs, strike: async () => field.pause(...field.validators), mend: async () => field.resume(...field.validators) }
}

// ---------------------------------------------------------------- links

function clears({ field }: Ground): () => Promise<void> {
  return async () => field.links.clear()
}

/** Every line of these to and from the others. */
function around({ field: { links, sites } }: Ground, inside: readonly Site[], weather: Partial<Weather>): void {
  for (const one of inside) for (const other of sites) if (!inside.includes(other)) links.setBetween(one.name, other.name, weather)
}

function apart(how: 'cut' | 'silent'): Make {
  return async (ground) => {
    const away = await victims(ground)
    const whom = await called(ground.field, away)
    const holdMs = ground.random.between(1_000, how === 'cut' ? 5_000 : 9_000)
    const weather = how === 'cut' ? { cut: true } : { silent: true }
    return { words: () => `${whom} for ${holdMs} ms`, stopsChain: false, holdMs, strike: async () => around(ground, away, weather), mend: clears(ground) }
  }
}

/** It hears and is not heard, or the other way round. */
const oneWay: Make = async (ground) => {
  const { field, random } = ground
  const deaf = random.next() < 0.5
  const away = await victims(ground)
  const whom = await called(field, away)
  const holdMs = random.between(1_000, 7_000)
  return {
    words: () => `${whom} ${deaf ? 'hears nothing' : 'is not heard'} for ${holdMs} ms`,
    stopsChain: false,
    holdMs,
    strike: async () => {
      for (const one of away) for (const other of field.sites) if (!away.includes(other)) field.links.set(...(deaf ? ([other.name, one.name] as const) : ([one.name, other.name] as const)), { silent: true })
    },
    mend: clears(ground),
  }
}

/** Two camps, neither of which is a quorum. */
const halves: Make = async (ground) => {
  const { field, random } = ground
  const silent = random.next() < 0.5
  const turn = random.below(field.validators.length)
  const half = Array.from({ length: Math.floor(field.validators.length / 2) }, (_, i) => field.validators[(turn + i) % field.validators.length] as Site)
  const [here, there] = [half, field.others(...half)]
  const holdMs = random.between(3_000, 7_000)
  return {
    words: () => `${here.map(({ name }) => name).join(', ')} | ${there.map(({ name }) => name).join(', ')}${silent ? ', in silence,' : ''} for ${holdMs} ms`,
    stopsChain: true,
    holdMs,
    strike: async () => {
      for (const one of here) for (const other of there) field.links.setBetween(one.name, other.name, silent ? { silent: true } : { cut: true })
    },
    mend: clears(ground),
  }
}

const flapping: Make = async (ground) => {
  const { field, random } = ground
  const flaky = await victims(ground)
  const whom = await called(field, flaky)
  const times = random.between(4, 12)
  const everyMs = random.between(150, 600)
  return {
    words: () => `connections of ${whom} ${times} times, every ${everyMs} ms`,
    stopsChain: false,
    holdMs: 0,
    strike: async () => {
      for (let time = 0; time < times; time++) {
        for (const one of flaky) for (const other of field.sites) if (other !== one) field.links.drop(one.name, other.name)
        await pause(everyMs)
      }
    },
    mend: nothing,
  }
}

const slowLine: Make = async (ground) => {
  const { random } = ground
  const slow = await victims(ground)
  const whom = await called(ground.field, slow)
  const weather = { delayMs: random.between(50, 500), jitterMs: random.between(0, 300) }
  const holdMs = random.between(2_000, 5_000)
  return { words: () => `${whom} by ${weather.delayMs} to ${weather.delayMs + weather.jitterMs} ms for ${holdMs} ms`, stopsChain: false, holdMs, strike: async () => around(ground, slow, weather), mend: clears(ground) }
}

const slowNetwork: Make = async (ground) => {
  const { field, random } = ground
  const weather = { delayMs: random.between(20, 120), jitterMs: random.between(20, 120) }
  const holdMs = random.between(2_000, 5_000)
  return {
    words: () => `every line by ${weather.delayMs} to ${weather.delayMs + weather.jitterMs} ms for ${holdMs} ms`,
    stopsChain: false,
    holdMs,
    strike: async () => {
      for (const one of field.sites) for (const other of field.sites) if (one !== other) field.links.set(one.name, other.name, weather)
    },
    mend: clears(ground),
  }
}

const narrowLine: Make = async (ground) => {
  const { random } = ground
  const narrow = await victims(ground)
  const whom = await called(ground.field, narrow)
  const kibPerSecond = random.between(4, 48)
  const holdMs = random.between(2_000, 5_000)
  return { words: () => `${whom} to ${kibPerSecond} KiB a second for ${holdMs} ms`, stopsChain: false, holdMs, strike: async () => around(ground, narrow, { bytesPerSecond: kibPerSecond * 1_024 }), mend: clears(ground) }
}

// ---------------------------------------------------------------- files

/** A clear refusal: a code of ours and a way out. */
const refusal = /((?:store|votelog)\/[a-z-]+)\S*\s+([^\n]*(?:Rebuild|Restore|Make room|Check the disk|resync)[^\n]*)/

/** Whether it ends in time; false as soon as it is well. */
async function endsWithin(field: Field, site: Site, timeoutMs: number, isWell: () => Promise<boolean> = async () => false): Promise<boolean> {
  const until = performance.now() + timeoutMs
  while (field.isRunning(site) && performance.now() < until) {
    if (await isWell()) return false
    await pause(tickMs)
  }
  return !field.isRunning(site)
}

function refusalIn(ground: Ground, site: Site, logSize: number, what: string): string {
  const said = ground.field.logSince(site, logSize)
  const code = refusal.exec(said)?.[1]
  if (code === undefined) ground.onViolation(`${site.name}, after ${what}, ended without a clear word: ${said.trimEnd().split('\n').slice(-3).join(' | ')}`)
  return code ?? 'no word'
}

type Expectation = 'refuses' | 'refuses or serves rightly' | 'goes on'

function damaged(damage: (data: string, random: Random) => string, expected: Expectation): Make {
  return async (ground) => {
    const { field, audit, random } = ground
    const [victim] = (await victims(ground, 1)) as [Site]
    const whom = await called(field, [victim])
    let words = whom
    return {
      words: () => words,
      stopsChain: false,
      ...(expected === 'goes on' ? {} : { rebuilds: victim }),
      holdMs: 0,
      strike: async () => {
        await field.kill(victim)
        const what = damage(victim.data, random)
        const logSize = field.logSize(victim)
        audit.excuse(victim)
        field.start(victim)
        if (expected === 'goes on') {
          words = `${whom}: ${what}; it starts`
          return
        }
        field.mayEnd(victim)
        const isWell = async (): Promise<boolean> => victim.client.call('node_status', {}).then(({ ready }) => ready, () => false)
        const ended = await endsWithin(field, victim, expected === 'refuses' ? refusesMs : readyMs, isWell)
        if (ended) words = `${whom}: ${what}; it refuses with ${refusalIn(ground, victim, logSize, what)}`
        else if (expected === 'refuses') ground.onViolation(`${victim.name} does not refuse to start, though ${what}`)
        else {
          const errors = await audit.examine(victim, random)
          words = `${whom}: ${what}; ${errors.length === 0 ? 'it starts, and all that it is asked it answers rightly' : `it starts, and answers ${errors.length} questions with an error`}`
        }
        await field.kill(victim)
        emptyFolder(victim.data)
        audit.anew(victim)
      },
      mend: async () => {
        if (expected === 'goes on') audit.anew(victim)
        else field.start(victim)
      },
    }
  }
}

const fullDisk: Make = async (ground) => {
  const { field, random } = ground
  const [victim] = (await victims(ground, 1)) as [Site]
  const whom = await called(field, [victim])
  const leftBytes = random.between(4, 200) * 1_024
  let words = whom
  return {
    words: () => words,
    stopsChain: false,
    holdMs: 0,
    strike: async () => {
      if (!isMounted(victim.data)) {
        await field.stop(victim)
        moveToOwnDisk(victim.data)
        field.start(victim)
        const late = await field.whoIsNotReady([victim], readyMs)
        if (late.length > 0) ground.onViolation(`not ready on a disk of its own: ${late.join('; ')}`)
      }
      const logSize = field.logSize(victim)
      field.mayEnd(victim)
      ground.audit.excuse(victim)
      fill(victim.data, leftBytes)
      const filledMs = performance.now()
      if (await endsWithin(field, victim, stopsMs)) {
        words = `${whom}: ${leftBytes / 1_024} KiB are left; it stops after ${((performance.now() - filledMs) / 1_000).toFixed(1)} s with ${refusalIn(ground, victim, logSize, 'a full disk')}`
      } else {
        ground.onViolation(`${victim.name} still runs ${stopsMs / 1_000} s after its disk had ${leftBytes} bytes left: ${JSON.stringify((await victim.client.call('node_status', {}).catch(String)) ?? '')}`)
        await field.kill(victim)
      }
    },
    mend: async () => {
      makeRoom(victim.data)
      ground.audit.anew(victim)
      field.start(victim)
    },
  }
}

export const makers = {
  kill,
  'primary-killed': primaryKilled,
  restart,
  pause: freeze,
  partition: apart('cut'),
  silence: apart('silent'),
  'one-way': oneWay,
  flapping,
  delay: slowLine,
  throttle: narrowLine,
  'slow-network': slowNetwork,
  'damaged-store': damaged(damageWholeStore, 'refuses'),
  'damaged-bytes': damaged(damageStoreBytes, 'refuses or serves rightly'),
  'deleted-current': damaged(deleteCurrent, 'refuses'),
  'damaged-votes': damaged(damageVotes, 'refuses'),
  'torn-votes': damaged(tearVotes, 'goes on'),
  'full-disk': fullDisk,
  'quorum-killed': quorumKilled,
  'all-killed': allKilled,
  'all-paused': allPaused,
  halves,
} as const satisfies Readonly<Record<string, Make>>

export type FaultKind = keyof typeof makers

/** What strikes a node once more while it begins again from nothing. */
const onTheMend: readonly FaultKind[] = ['kill', 'pause', 'partition', 'silence', 'flapping', 'throttle']

export function onTheMendOf(random: Random): readonly FaultKind[] {
  const first = random.below(onTheMend.length)
  const second = (first + random.between(1, onTheMend.length)) % onTheMend.length
  return [onTheMend[first] as FaultKind, onTheMend[second] as FaultKind]
}

export const faultKinds = Object.keys(makers) as readonly FaultKind[]

/** How often in one round of the schedule. */
const often: Readonly<Partial<Record<FaultKind, number>>> = { kill: 2, 'primary-killed': 4, pause: 2, partition: 2, silence: 2, 'one-way': 2, halves: 2, 'quorum-killed': 2, 'all-killed': 2 }

/** Rounds without end, each with every kind, shuffled. */
export function* schedule(random: Random, leftOut: ReadonlySet<FaultKind>): Generator<FaultKind, never, void> {
  for (;;) {
    const round = faultKinds.filter((kind) => !leftOut.has(kind)).flatMap((kind) => Array.from({ length: often[kind] ?? 1 }, () => kind))
    while (round.length > 0) yield round.splice(random.below(round.length), 1)[0] as FaultKind
  }
}
