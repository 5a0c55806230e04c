// A public facility in one of the living areas: a lecture that fills up. And the board of the neighbourhood.
import { devnet as preset } from '../../../genesis/presets/devnet.ts'
import type { Hash, TimeMs } from '../../../primitives/brand.ts'
import { toBase64url, utf8 } from '../../../primitives/bytes.ts'
import type { Client, ParamsJson } from '../../../rpc/client/index.ts'
import { koreanTime } from '../../../node/cli/output.ts'
import { bytesOf, expect, expectEqual } from '../story.ts'
import type { Chapter } from './chapter.ts'
import { citizens } from './citizenship.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const seats = 3
const slot = 'launch-day-lecture-1'

/** A facility for lectures, if the preset has one. */
export function venue(): (typeof preset.facilities)[number] {
  const found = preset.facilities.find(({ category }) => category === 'lecture') ?? preset.facilities[0]
  expect(found !== undefined, 'a facility in the preset')
  return found
}

export const lecture: Chapter = {
  title: '강좌 예약 · a lecture in the neighbourhood',
  play: async (story, tell) => {
    const { client, journal } = story
    const facility = venue()
    const area = preset.livingAreas.find(({ id }) => id === facility.livingArea)
    const startsMs = journal.startedMs + 7 * dayMs
    const opened = await story.send('open-lecture', {
      kind: 'reservation.openSlots',
      by: story.office('operator'),
      payload: {
        facility: facility.id,
        course: { id: 'launch-day-lecture', title: { ko: '동백전 시민 강좌: 내 자격증은 내 손에', en: 'Lecture: your credentials in your hand' }, perPersonMax: 1 },
        slots: [
          {
            id: slot,
            startsMs: startsMs as TimeMs,
            endsMs: (startsMs + 2 * hourMs) as TimeMs,
            opensMs: journal.startedMs as TimeMs,
            closesMs: (startsMs - hourMs) as TimeMs,
            cancelUntilMs: (startsMs - dayMs) as TimeMs,
            capacity: seats,
            waitlistMax: 10,
          },
        ],
      },
    })
    tell(`${facility.title.ko} (${area?.name.ko ?? facility.livingArea}) opens a lecture on ${koreanTime(startsMs)} with ${seats} seats`, opened)

    for (const [i, name] of (['first', 'two', 'three', 'youth'] as const).entries()) {
      const receipt = await story.send(`reserve-${name}`, { kind: 'reservation.reserve', by: story.citizen(name), payload: { slot } })
      const isSeated = i < seats
      expectEqual(receipt.events.map(({ type }) => type), [isSeated ? 'reservation.reserved' : 'reservation.waitlisted'], `what became of the reservation of ${name}`)
      tell(`${citizens[name]} ${isSeated ? `has a seat, ${seats - i - 1} left` : 'is first on the waitlist'}`, receipt)
    }
    const found = (await client.call('reservation_slots', { facility: facility.id, from: journal.startedMs, to: startsMs + dayMs })).items.find(({ id }) => id === slot)
    expectEqual([found?.seatsLeft, found?.waiting], [0, 1], 'seats left and waiting')
  },
}

export const post: Chapter = {
  title: '생활권 게시판 · on the board of the neighbourhood',
  play: async (story, tell) => {
    const { client } = story
    const { livingArea } = venue()
    const board = 'talk'
    const author = story.citizen('first')
    // the salt keeps anyone from guessing the words behind the hash, should they ever be erased
    const body = utf8(JSON.stringify({ salt: toBase64url(story.bytesFor('post-salt')), text: '오늘 시청 1층에서 시민증을 받았어요. 강좌에서 만나요!' }))
    const { hash } = await client.call('community_putBody', { body: toBase64url(body) })
    const receipt = await story.send('post', { kind: 'community.post', by: author, payload: { livingArea, board, bodyHash: bytesOf(hash) as Hash, bodyBytes: body.length } })
    tell(`${citizens.first} posts to the board ${board} of ${livingArea}`, receipt)

    const seen = await eventsOf(client, { types: ['community.posted'], livingArea, board })
    expectEqual(
      seen.map(({ transaction, height }) => [transaction, height]),
      [[receipt.id, receipt.height]],
      'the post in the feed, once',
    )
    const kept = await client.call('community_getBody', { hash })
    expectEqual(kept.body, toBase64url(body), 'the body of the post')
    tell(`the feed of ${livingArea} has it once, at cursor ${seen[0]?.cursor}, and its body is there`)
  },
}

interface EventItem {
  readonly cursor: string
  readonly height: number
  readonly transaction?: string
}

/** Every event that fits, from the genesis on. */
async function eventsOf(client: Client, filter: NonNullable<ParamsJson<'events_since'>['filter']>): Promise<readonly EventItem[]> {
  const items: EventItem[] = []
  for (let cursor = ''; ; ) {
    const page = await client.call('events_since', { cursor, filter, limit: 1_000 })
    items.push(...(page.items as unknown as readonly EventItem[]))
    if (page.next === cursor) return items
    cursor = page.next
  }
}
