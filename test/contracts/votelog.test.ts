// What every vote log promises (node/world.ts), over the files and over the simulated one.
import { join } from 'node:path'
import t from 'tap'
import { silentLog } from '../../node/log.ts'
import { openVoteLog } from '../../node/votelog.ts'
import type { OpenedVoteLog } from '../../node/world.ts'
import { toHex, utf8 } from '../../primitives/bytes.ts'
import { Disk } from '../simulator/nodes/disk.ts'
import { Life } from '../simulator/nodes/life.ts'
import { liveKernel } from '../simulator/nodes/live.ts'
import { openSimulatedVoteLog } from '../simulator/nodes/votes.ts'

const { kernel, stop } = liveKernel()
t.teardown(stop)

/** Each call opens what the one before has left. */
const kinds: readonly (readonly [string, (folder: string) => () => OpenedVoteLog])[] = [
  ['files', (folder) => () => openVoteLog({ folder: join(folder, 'votes'), chainId: 'test', publicKey: new Uint8Array(32), log: silentLog })],
  [
    'simulated',
    () => {
      const disk = new Disk(new Map())
      disk.loseVotes()
      return () => openSimulatedVoteLog({ kernel, life: new Life(() => {}), disk, delayMs: () => 1, overheadBytes: 0 })
    },
  ],
]
const texts = ({ records }: OpenedVoteLog): string => records.map((record) => new TextDecoder().decode(record)).join(' ')

for (const [name, make] of kinds) {
  t.test(name, async (t) => {
    const open = make(t.testdir())
    const first = open()
    t.same([first.records.length, first.created], [0, true])
    await Promise.all([first.log.append([utf8('a'), utf8('b')]), first.log.append([utf8('c')]), first.log.append([utf8('d')])])
    const { log, batch } = first.log.position()
    t.ok(batch > 0 && first.log.sizeBytes() >= 4)
    await first.log.close()

    const second = open()
    t.same([texts(second), second.created], ['a b c d', false], 'in the order of the calls')
    t.equal(toHex(second.log.position().log), toHex(log))
    const done: string[] = []
    await Promise.all([
      second.log.append([utf8('e')]).then(() => done.push('append')),
      second.log.rewrite([utf8('a'), utf8('e')]).then(() => done.push('rewrite')),
      second.log.append([utf8('f')]).then(() => done.push('append')),
    ])
    t.same(done, ['append', 'rewrite', 'append'])
    t.ok(second.log.position().batch > batch, 'it only grows')
    await second.log.close()

    const third = open()
    t.equal(texts(third), 'a e f')
    await third.log.renew()
    t.not(toHex(third.log.position().log), toHex(log), 'another log')
    await third.log.append([utf8('g')])
    await third.log.close()
    const last = open()
    t.equal(texts(last), 'g')
    await last.log.close()
  })
}
