// Damaged, truncated, deleted, outdated and swapped files: a seeded part of npm run durability -- --cases. Nothing may be served silently that
// docs/durability.md does not list as open.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { countOf, type Judged, lineOf, openDefect, runCases, tableOf } from '../../scripts/durability/cases.ts'
import { makeMaterial } from '../../scripts/durability/material.ts'
import { freeBasePort } from '../../scripts/durability/power.ts'

const cases = 60
const seed = 2_026

t.test('sixty cases of damage', { timeout: 400_000 }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-damage-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  await makeMaterial(folder, await freeBasePort())
  const judged = await runCases({ folder, count: cases, seed, onCase: () => {} })
  t.equal(judged.length, cases)
  const unaccounted = (one: Judged): boolean => one.outcome === 'SERVED SILENTLY' && openDefect(one) === undefined
  t.strictSame(judged.filter(unaccounted).map(lineOf), [], 'nothing is served silently but what is known')
  const rough = (one: Judged): boolean => (one.fault === 'not a DongbaekError' || one.fault === 'ends the process') && openDefect(one) === undefined
  t.strictSame(judged.filter(rough).map(lineOf), [], 'every refusal is one of ours')
  t.ok(countOf(judged, 'refused at start') > cases / 4, 'damage was done, and noticed')
  t.comment(tableOf(judged))

  await t.test('two of them as real nodes among undamaged ones', async (t) => {
    const wanted = [
      judged.find(({ kind, outcome }) => kind === 'level log' && outcome === 'repaired'),
      judged.find(({ kind, outcome }) => kind === 'table' && outcome === 'refused at start'),
    ]
    for (const one of wanted) {
      if (one === undefined) {
        t.fail('the seed has no such case')
        continue
      }
      const [again] = await runCases({ folder, count: cases, seed, only: one.number, amongPeers: true, onCase: () => {} })
      t.equal(again?.outcome, one.outcome, again === undefined ? '' : lineOf(again))
    }
  })
})
