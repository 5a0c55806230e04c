// Launch day: the opening of Busan's pilot (14 May, first floor of City Hall), played against the running network. Every step is checked against
// its receipt and against what the node answers afterwards; refusals are part of the day, with the very code that they must bear.
import { randomBytes } from 'node:crypto'
import { styleText } from 'node:util'
import { koreanTime } from '../../node/cli/output.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { createClient } from '../../rpc/client/index.ts'
import type { Chapter, Tell } from './chapters/chapter.ts'
import { citizenship } from './chapters/citizenship.ts'
import { applications, culturePass, multiChild, opening, spending } from './chapters/funds.ts'
import { lecture, post } from './chapters/places.ts'
import { proof } from './chapters/proof.ts'
import { settlement } from './chapters/settlement.ts'
import { type Journal, openJournal } from './journal.ts'
import type { Network } from './network.ts'
import type { Screen } from './screen.ts'
import { createStory, expectEqual, StoryError } from './story.ts'

const chapters: readonly Chapter[] = [citizenship, opening, applications, spending, lecture, post, settlement, proof]

export interface DayResult {
  readonly held: boolean
  readonly steps: number
  /** For the ready-made commands. */
  readonly did?: string
}

/** Plays the day, or goes on with one that was cut short, or, where it was played to the end before, looks every receipt up again. */
export async function launchDay(network: Network, screen: Screen): Promise<DayResult> {
  const { nodes, chainId, launchDayFile } = network
  // reading and sending go to the observers; validators only when there is none
  const observers = nodes.filter(({ role }) => role === 'observer')
  const urls = (observers.length > 0 ? observers : nodes).map(({ rpc }) => rpc)
  const client = createClient({ urls })
  const journal = openJournal(launchDayFile, { chainId, startedMs: Date.now(), seed: randomBytes(32).toString('base64url') })
  const story = createStory(client, network, journal)
  const did = story.citizen('two').did
  let steps = 0
  const tell: Tell = (line, receipt) => {
    steps++
    screen.line(`  ${receipt?.status === 'refused' ? styleText('yellow', '✗') : styleText('green', '✓')} ${line}`)
    if (receipt !== undefined) screen.line(styleText('gray', `      transaction ${receipt.id}, block ${receipt.height}, place ${receipt.index}, ${receipt.status}`))
  }
  try {
    if (journal.completedMs !== undefined) await lookUpAgain(story.client, journal, tell)
    else {
      const sent = Object.keys(journal.transactions).length
      screen.line(`\n${styleText('bold', 'Launch day')}, played by JSON-RPC at ${urls[0]}${sent > 0 ? `; it was cut short after ${sent} transactions and goes on` : ''}`)
      for (const chapter of chapters) {
        screen.line(`\n  ${styleText('bold', chapter.title)}`)
        await chapter.play(story, tell)
      }
      journal.complete(Date.now())
    }
    return { held: true, steps, did }
  } catch (error) {
    if (!(error instanceof StoryError || error instanceof DongbaekError)) throw error
    screen.alert(`\n  Launch day does not hold: ${error instanceof DongbaekError ? `${error.code}: ` : ''}${error.message}`)
    return { held: false, steps, did }
  }
}

async function lookUpAgain(client: ReturnType<typeof createClient>, journal: Journal, tell: Tell): Promise<void> {
  const entries = Object.entries(journal.transactions)
  for (const [key, { id, height, status, code }] of entries) {
    const { receipt } = await client.call('tx_get', { id })
    expectEqual([receipt.height, receipt.status, receipt.code], [height, status, code], `the receipt of ${key}, answered as final before`)
  }
  tell(`Launch day was played on ${koreanTime(journal.completedMs ?? 0)}; all its ${entries.length} receipts are still there, each in its block.`)
  for (const program of [multiChild, culturePass]) {
    const { holds } = await client.call('points_audit', { program, recount: true })
    expectEqual(holds, true, `the audit of ${program}`)
    tell(`The audit of ${program} holds.`)
  }
}
