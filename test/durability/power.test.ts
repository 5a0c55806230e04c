// A few power cuts on real validators: the short part of npm run durability -- --cuts. Needs root and loop devices.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { whyNoPowerCuts } from '../../scripts/durability/image.ts'
import { runPowerCuts } from '../../scripts/durability/power.ts'

const cuts = 4
const folder = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'dongbaek-power-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
const why = await whyNoPowerCuts(folder)

t.test('kill -9 shows nothing about a disk: what was acknowledged survives real power cuts', { timeout: 300_000, skip: why === undefined ? false : `power cannot be cut here: ${why}` }, async (t) => {
  const report = await runPowerCuts({ folder: path.join(folder, 'network'), cuts, seed: 5, onLine: (line) => t.comment(line), isStopped: () => false })
  t.strictSame(report.problems, [])
  t.equal(report.cuts.length, cuts)
  t.ok(report.cuts.some(({ who }) => who.length === 4), 'all four at once among them')
  t.ok(report.acknowledged > 0 && report.checked >= 4 * report.acknowledged, `${report.acknowledged} receipts, each found on all four`)
  t.equal(report.evidence, 0, 'nobody voted twice')
})
